"""SNS topics, their policies and subscriptions."""

import json
from typing import Any

from rehearsal.resources.handler import Created, CreateOnly, Declared
from rehearsal.target import Target


class Topic(CreateOnly):
    """aws:sns/topic:Topic; its id is its ARN."""

    type = "aws:sns/topic:Topic"

    def create(self, declared: Declared, target: Target) -> Created:
        """See ResourceHandler."""
        inputs = declared.inputs
        name = inputs.get("name") or declared.name
        attributes: dict[str, str] = {}
        if inputs.get("kmsMasterKeyId"):
            attributes["KmsMasterKeyId"] = inputs["kmsMasterKeyId"]
        if inputs.get("displayName"):
            attributes["DisplayName"] = inputs["displayName"]
        arn = target.client("sns").create_topic(Name=name, Attributes=attributes)["TopicArn"]
        if inputs.get("policy"):
            _set_policy(target, arn, inputs["policy"])
        return Created(arn, {"arn": arn, "name": name, "owner": target.aws.account})

    def read(self, id_: str, target: Target) -> dict[str, Any] | None:
        """See ResourceHandler."""
        sns = target.client("sns")
        try:
            sns.get_topic_attributes(TopicArn=id_)
        except sns.exceptions.NotFoundException:
            return None
        return {"arn": id_, "name": id_.rsplit(":", 1)[-1], "owner": target.aws.account}

    def delete(self, id_: str, target: Target) -> None:
        """See ResourceHandler."""
        target.client("sns").delete_topic(TopicArn=id_)


class TopicPolicy(CreateOnly):
    """aws:sns/topicPolicy:TopicPolicy; its id is the topic's ARN."""

    type = "aws:sns/topicPolicy:TopicPolicy"

    def create(self, declared: Declared, target: Target) -> Created:
        """See ResourceHandler."""
        arn = declared.inputs["arn"]
        _set_policy(target, arn, declared.inputs["policy"])
        return Created(arn, {"arn": arn, "owner": target.aws.account})


class TopicSubscription(CreateOnly):
    """aws:sns/topicSubscription:TopicSubscription; its id is its ARN. An e-mail one waits for a confirmation."""

    type = "aws:sns/topicSubscription:TopicSubscription"

    def create(self, declared: Declared, target: Target) -> Created:
        """See ResourceHandler."""
        inputs = declared.inputs
        answer = target.client("sns").subscribe(
            TopicArn=inputs["topic"],
            Protocol=inputs["protocol"],
            Endpoint=inputs["endpoint"],
            ReturnSubscriptionArn=True,
        )
        arn = answer["SubscriptionArn"]
        pending = inputs["protocol"] in ("email", "email-json", "http", "https")
        return Created(arn, {"arn": arn, "ownerId": target.aws.account, "pendingConfirmation": pending})


def _set_policy(target: Target, arn: str, policy: Any) -> None:
    text = policy if isinstance(policy, str) else json.dumps(policy)
    target.client("sns").set_topic_attributes(TopicArn=arn, AttributeName="Policy", AttributeValue=text)


HANDLERS = (Topic(), TopicPolicy(), TopicSubscription())
