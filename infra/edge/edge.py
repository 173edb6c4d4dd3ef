"""What Cloudflare's edge does with a request: the zone's settings and rulesets.

A phase has one entry-point ruleset in a zone, so each is declared once, here. Every rule has a `ref`: without one,
Cloudflare makes all later rules anew when one is removed.
"""

import pulumi_cloudflare as cloudflare

from infra.component import Component
from infra.edge.phases import RULESETS
from infra.edge.zone_rules import Rules
from infra.edge.zone_settings import zone_settings
from infra.names.zone import Zone
from infra.settings import Stack


class Edge(Component):
    """The zone's settings and rulesets. One stack owns them; a second one that writes them would fight this one."""

    def __init__(self, stack: Stack, zone: Zone, rules: Rules) -> None:
        super().__init__("edge")
        for setting, value in zone_settings(stack).items():
            name = setting.replace("_", "-")
            cloudflare.ZoneSetting(name, zone_id=zone.id, setting_id=setting, value=value, opts=self.child())
        cloudflare.BotManagement("bots", zone_id=zone.id, fight_mode=stack.settings.bots.fight_mode, opts=self.child())
        for phase, found in rules.items():
            name = RULESETS[phase].name
            cloudflare.Ruleset(
                name, zone_id=zone.id, kind="zone", name=name, phase=phase, rules=list(found), opts=self.child()
            )
        self.register_outputs({})
