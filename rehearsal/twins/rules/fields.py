"""The fields of the rules language that the edge twin fills in, and their types.

https://developers.cloudflare.com/ruleset-engine/rules-language/fields/reference/
"""

from rehearsal.twins.rules.kinds import BOOL, BYTES, INT, IP, Kind, array, mapping

_LIST, _TEXTS, _NUMBERS = array(BYTES), mapping(array(BYTES)), array(INT)


def _all(kind: Kind, *names: str) -> dict[str, Kind]:
    return dict.fromkeys(names, kind)


_REQUEST: dict[str, Kind] = {
    **_all(BYTES, "http.cookie", "http.host", "http.referer", "http.user_agent", "http.x_forwarded_for"),
    **_all(BYTES, "http.request.method", "http.request.version", "http.request.full_uri", "http.request.uri"),
    **_all(BYTES, "http.request.uri.path", "http.request.uri.path.extension", "http.request.uri.query"),
    **_all(_LIST, "http.request.uri.args.names", "http.request.uri.args.values", "http.request.accepted_languages"),
    **_all(_LIST, "http.request.headers.names", "http.request.headers.values"),
    **_all(_TEXTS, "http.request.cookies", "http.request.headers", "http.request.uri.args"),
    **_all(BYTES, "raw.http.request.full_uri", "raw.http.request.uri", "raw.http.request.uri.path"),
    **_all(BYTES, "raw.http.request.uri.path.extension", "raw.http.request.uri.query"),
    **_all(_LIST, "raw.http.request.uri.args.names", "raw.http.request.uri.args.values"),
    **_all(_TEXTS, "raw.http.request.uri.args"),
    **_all(INT, "http.request.timestamp.sec", "http.request.timestamp.msec"),
    **_all(BOOL, "ssl", "http.request.headers.truncated"),
}
_BODY: dict[str, Kind] = {
    **_all(BYTES, "http.request.body.raw", "http.request.body.mime"),
    **_all(INT, "http.request.body.size"),
    **_all(BOOL, "http.request.body.truncated"),
    **_all(_TEXTS, "http.request.body.form"),
    **_all(_LIST, "http.request.body.form.names", "http.request.body.form.values"),
}
_RESPONSE: dict[str, Kind] = {
    **_all(INT, "http.response.code"),
    **_all(BYTES, "http.response.content_type.media_type"),
    **_all(_TEXTS, "http.response.headers"),
    **_all(_LIST, "http.response.headers.names", "http.response.headers.values"),
}
_PLACE: dict[str, Kind] = {
    **_all(BYTES, "ip.src.city", "ip.src.continent", "ip.src.country", "ip.src.lat", "ip.src.lon"),
    **_all(BYTES, "ip.src.metro_code", "ip.src.postal_code", "ip.src.region", "ip.src.region_code"),
    **_all(BYTES, "ip.src.subdivision_1_iso_code", "ip.src.subdivision_2_iso_code", "ip.src.timezone.name"),
    **_all(BOOL, "ip.src.is_in_european_union"),
    **_all(INT, "ip.src.asnum"),
    # their names of old, which rules of some years' age still have
    **_all(BYTES, "ip.geoip.continent", "ip.geoip.country"),
    **_all(BYTES, "ip.geoip.subdivision_1_iso_code", "ip.geoip.subdivision_2_iso_code"),
    **_all(BOOL, "ip.geoip.is_in_european_union"),
    **_all(INT, "ip.geoip.asnum"),
}
_CONNECTION: dict[str, Kind] = {
    **_all(IP, "ip.src", "cf.edge.server_ip"),
    **_all(INT, "cf.edge.server_port", "cf.threat_score"),
    **_all(BOOL, "cf.edge.client_tcp", "cf.client.bot"),
    **_all(BYTES, "cf.ray_id", "cf.random_seed", "cf.tls_version", "cf.tls_cipher", "cf.zone.name"),
    **_all(BYTES, "cf.worker.upstream_zone", "cf.hostname.metadata"),
    **_all(BOOL, "cf.tls_client_auth.cert_presented", "cf.tls_client_auth.cert_revoked"),
    **_all(BOOL, "cf.tls_client_auth.cert_verified"),
}
_DETECTIONS: dict[str, Kind] = {
    **_all(INT, "cf.bot_management.score"),
    **_all(BOOL, "cf.bot_management.verified_bot", "cf.bot_management.corporate_proxy"),
    **_all(BOOL, "cf.bot_management.js_detection.passed", "cf.bot_management.static_resource"),
    **_all(BYTES, "cf.bot_management.ja3_hash", "cf.bot_management.ja4", "cf.verified_bot_category"),
    **_all(_NUMBERS, "cf.bot_management.detection_ids"),
    **_all(INT, "cf.waf.score", "cf.waf.score.rce", "cf.waf.score.sqli", "cf.waf.score.xss"),
    **_all(BYTES, "cf.waf.score.class"),
    **_all(BOOL, "cf.waf.auth_detected", "cf.waf.credential_check.password_leaked"),
    **_all(BOOL, "cf.waf.credential_check.username_and_password_leaked", "cf.waf.credential_check.username_leaked"),
    **_all(BOOL, "cf.waf.credential_check.username_password_similar"),
    **_all(BOOL, "cf.waf.content_scan.has_failed", "cf.waf.content_scan.has_malicious_obj"),
    **_all(BOOL, "cf.waf.content_scan.has_obj"),
    **_all(INT, "cf.waf.content_scan.num_malicious_obj", "cf.waf.content_scan.num_obj"),
}
FIELDS: dict[str, Kind] = {**_REQUEST, **_BODY, **_RESPONSE, **_PLACE, **_CONNECTION, **_DETECTIONS}
LISTS = "$lists"  # beside the fields, the names of the redirect lists that have an entry for the request
