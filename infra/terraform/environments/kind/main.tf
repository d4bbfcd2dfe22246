# The whole of Ferryman in Docker, on one machine: no cloud, no account.

terraform {
  required_version = ">= 1.10"
}

locals {
  python = abspath("${path.root}/../../../../.venv/bin/python")
}

module "cluster" {
  source = "../../modules/cluster"

  python = local.python
}

module "platform" {
  source = "../../modules/platform"

  python     = local.python
  kubeconfig = module.cluster.kubeconfig
  images     = module.cluster.images
  domain     = var.domain
}
