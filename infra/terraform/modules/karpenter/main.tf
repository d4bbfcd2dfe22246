# What Karpenter needs in AWS, and its node pools as manifests. Karpenter itself is a Helm chart; see docs/eks.md.
# The statements are those that Karpenter's own CloudFormation template gives it, less the making of instance profiles:
# there is one here, and the node classes name it.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  partition = data.aws_partition.current.partition
  account   = data.aws_caller_identity.current.account_id
  region    = data.aws_region.current.name
  ec2       = "arn:${local.partition}:ec2:${local.region}"
  owned     = "kubernetes.io/cluster/${var.name}"
  made = [for kind in ["fleet", "instance", "volume", "network-interface", "launch-template", "spot-instances-request"] :
    "${local.ec2}:${local.account}:${kind}/*"
  ]
  # What tells Karpenter of nodes that AWS is about to take away.
  events = {
    interruption = { source = "aws.ec2", detail = "EC2 Spot Instance Interruption Warning" }
    rebalance    = { source = "aws.ec2", detail = "EC2 Instance Rebalance Recommendation" }
    state        = { source = "aws.ec2", detail = "EC2 Instance State-change Notification" }
    health       = { source = "aws.health", detail = "AWS Health Event" }
  }
}

resource "aws_iam_instance_profile" "this" {
  name = "${var.name}-karpenter-node"
  role = var.node_role.name
}

resource "aws_sqs_queue" "this" {
  name                      = "${var.name}-karpenter"
  message_retention_seconds = 300
  sqs_managed_sse_enabled   = true
}

data "aws_iam_policy_document" "queue" {
  statement {
    sid       = "Events"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.this.arn]
    principals {
      type        = "Service"
      identifiers = ["events.amazonaws.com"]
    }
    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [for rule in aws_cloudwatch_event_rule.this : rule.arn]
    }
  }
  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["sqs:*"]
    resources = [aws_sqs_queue.this.arn]
    principals {
      type        = "*"
      identifiers = ["*"]
    }
    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_sqs_queue_policy" "this" {
  queue_url = aws_sqs_queue.this.url
  policy    = data.aws_iam_policy_document.queue.json
}

resource "aws_cloudwatch_event_rule" "this" {
  for_each = local.events

  name          = "${var.name}-karpenter-${each.key}"
  description   = "${each.value.detail}, for Karpenter"
  event_pattern = jsonencode({ source = [each.value.source], "detail-type" = [each.value.detail] })
}

resource "aws_cloudwatch_event_target" "this" {
  for_each = local.events

  rule      = aws_cloudwatch_event_rule.this[each.key].name
  target_id = "karpenter"
  arn       = aws_sqs_queue.this.arn
}

data "aws_iam_policy_document" "controller" {
  # Machines start from any image and in any subnet that a node class names …
  statement {
    sid     = "StartFrom"
    actions = ["ec2:RunInstances", "ec2:CreateFleet"]
    resources = concat(
      ["${local.ec2}::image/*", "${local.ec2}::snapshot/*"],
      [for kind in ["security-group", "subnet", "capacity-reservation"] : "${local.ec2}:${local.account}:${kind}/*"],
    )
  }
  statement {
    sid       = "StartFromOwnTemplate"
    actions   = ["ec2:RunInstances", "ec2:CreateFleet"]
    resources = ["${local.ec2}:${local.account}:launch-template/*"]
    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/${local.owned}"
      values   = ["owned"]
    }
    condition {
      test     = "StringLike"
      variable = "aws:ResourceTag/karpenter.sh/nodepool"
      values   = ["*"]
    }
  }
  # … but only with the tags of this cluster, and only what has them may be ended.
  statement {
    sid       = "StartTagged"
    actions   = ["ec2:RunInstances", "ec2:CreateFleet", "ec2:CreateLaunchTemplate"]
    resources = local.made
    dynamic "condition" {
      for_each = { (local.owned) = "owned", "eks:eks-cluster-name" = var.name }
      content {
        test     = "StringEquals"
        variable = "aws:RequestTag/${condition.key}"
        values   = [condition.value]
      }
    }
    condition {
      test     = "StringLike"
      variable = "aws:RequestTag/karpenter.sh/nodepool"
      values   = ["*"]
    }
  }
  statement {
    sid       = "TagAtStart"
    actions   = ["ec2:CreateTags"]
    resources = local.made
    dynamic "condition" {
      for_each = { (local.owned) = "owned", "eks:eks-cluster-name" = var.name }
      content {
        test     = "StringEquals"
        variable = "aws:RequestTag/${condition.key}"
        values   = [condition.value]
      }
    }
    condition {
      test     = "StringEquals"
      variable = "ec2:CreateAction"
      values   = ["RunInstances", "CreateFleet", "CreateLaunchTemplate"]
    }
    condition {
      test     = "StringLike"
      variable = "aws:RequestTag/karpenter.sh/nodepool"
      values   = ["*"]
    }
  }
  statement {
    sid       = "TagLater"
    actions   = ["ec2:CreateTags"]
    resources = ["${local.ec2}:${local.account}:instance/*"]
    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/${local.owned}"
      values   = ["owned"]
    }
    condition {
      test     = "StringLike"
      variable = "aws:ResourceTag/karpenter.sh/nodepool"
      values   = ["*"]
    }
    condition {
      test     = "StringEqualsIfExists"
      variable = "aws:RequestTag/eks:eks-cluster-name"
      values   = [var.name]
    }
    condition {
      test     = "ForAllValues:StringEquals"
      variable = "aws:TagKeys"
      values   = ["eks:eks-cluster-name", "karpenter.sh/nodeclaim", "Name"]
    }
  }
  statement {
    sid       = "EndOwn"
    actions   = ["ec2:TerminateInstances", "ec2:DeleteLaunchTemplate"]
    resources = ["${local.ec2}:${local.account}:instance/*", "${local.ec2}:${local.account}:launch-template/*"]
    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/${local.owned}"
      values   = ["owned"]
    }
    condition {
      test     = "StringLike"
      variable = "aws:ResourceTag/karpenter.sh/nodepool"
      values   = ["*"]
    }
  }
  # EC2's Describe actions know no resources.
  statement {
    sid = "See"
    actions = [for what in [
      "CapacityReservations", "Images", "Instances", "InstanceTypeOfferings", "InstanceTypes", "LaunchTemplates",
      "SecurityGroups", "SpotPriceHistory", "Subnets",
    ] : "ec2:Describe${what}"]
    resources = ["*"]
    condition {
      test     = "StringEquals"
      variable = "aws:RequestedRegion"
      values   = [local.region]
    }
  }
  statement {
    sid       = "SeePricesAndProfiles"
    actions   = ["pricing:GetProducts", "iam:ListInstanceProfiles"]
    resources = ["*"]
  }
  statement {
    sid       = "SeeProfile"
    actions   = ["iam:GetInstanceProfile"]
    resources = [aws_iam_instance_profile.this.arn]
  }
  statement {
    sid       = "SeeImages"
    actions   = ["ssm:GetParameter"]
    resources = ["arn:${local.partition}:ssm:${local.region}::parameter/aws/service/*"]
  }
  statement {
    sid       = "SeeCluster"
    actions   = ["eks:DescribeCluster"]
    resources = [var.cluster_arn]
  }
  statement {
    sid       = "GiveNodesTheirRole"
    actions   = ["iam:PassRole"]
    resources = [var.node_role.arn]
    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ec2.amazonaws.com"]
    }
  }
  statement {
    sid       = "HearOfInterruptions"
    actions   = ["sqs:DeleteMessage", "sqs:GetQueueUrl", "sqs:ReceiveMessage"]
    resources = [aws_sqs_queue.this.arn]
  }
}

module "controller" {
  source = "../pod_role"

  name            = "${var.name}-karpenter"
  cluster         = var.name
  namespace       = "kube-system"
  service_account = "karpenter"
  policy          = data.aws_iam_policy_document.controller.json
}
