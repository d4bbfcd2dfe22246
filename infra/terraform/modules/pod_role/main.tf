# An IAM role that one service account of one cluster gets, by EKS Pod Identity: no keys, and no OIDC provider.

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole", "sts:TagSession"]
    principals {
      type        = "Service"
      identifiers = ["pods.eks.amazonaws.com"]
    }
    # EKS sets these tags. Whatever associations somebody makes, nobody else gets the role.
    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/eks-cluster-name"
      values   = [var.cluster]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/kubernetes-namespace"
      values   = [var.namespace]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:RequestTag/kubernetes-service-account"
      values   = [var.service_account]
    }
  }
}

resource "aws_iam_role" "this" {
  name               = var.name
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy" "this" {
  count = var.managed_policy == null ? 1 : 0

  name   = var.name
  role   = aws_iam_role.this.name
  policy = var.policy
}

resource "aws_iam_role_policy_attachment" "this" {
  count = var.managed_policy == null ? 0 : 1

  role       = aws_iam_role.this.name
  policy_arn = var.managed_policy
}

resource "aws_eks_pod_identity_association" "this" {
  cluster_name    = var.cluster
  namespace       = var.namespace
  service_account = var.service_account
  role_arn        = aws_iam_role.this.arn
  depends_on      = [aws_iam_role_policy.this, aws_iam_role_policy_attachment.this]
}
