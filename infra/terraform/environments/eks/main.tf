# Ferryman's cloud on AWS: network, cluster, the bucket for models, and what starts nodes. What runs in the cluster is
# installed from there; the output `next` says how (docs/eks.md).

locals {
  tags = merge({ project = "ferryman", environment = var.name, managed-by = "terraform" }, var.tags)
  # Those that need no opting in, in a stable order.
  zones  = slice(sort(data.aws_availability_zones.this.names), 0, 3)
  bucket = coalesce(var.bucket, "${var.name}-${data.aws_caller_identity.this.account_id}-${var.region}")
}

data "aws_caller_identity" "this" {}

data "aws_availability_zones" "this" {
  # checkov:skip=CKV_AWS_394:three are taken, in the order of their names; a fourth that AWS adds changes nothing
  state = "available"

  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

module "network" {
  source = "../../modules/network"

  name         = var.name
  cidr         = var.vpc_cidr
  zones        = local.zones
  nat_per_zone = var.nat_per_zone
}

module "eks" {
  source = "../../modules/eks"

  name               = var.name
  kubernetes_version = var.kubernetes_version
  subnets            = module.network.private_subnets
  api_cidrs          = var.api_cidrs
  admins             = var.admins
  node_type          = var.node_type
}

module "storage" {
  source = "../../modules/storage"

  name    = var.name
  bucket  = local.bucket
  cluster = module.eks.name
  tenants = var.tenants
}

module "karpenter" {
  source = "../../modules/karpenter"

  name           = module.eks.name
  cluster_arn    = module.eks.arn
  node_role      = module.eks.node_role
  subnets        = module.network.private_subnets
  security_group = module.eks.security_group
  tags           = local.tags
  cpu_limit      = var.cpu_limit
  gpu_limit      = var.gpu_limit
}
