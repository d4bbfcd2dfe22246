# A cluster in Docker with the controllers that Ferryman stands on, and a registry with its images. The work is that of
# `make kind-up`.

locals {
  root       = abspath("${path.module}/../../../..")
  home       = "${local.root}/.ferryman"
  kubeconfig = "${local.home}/kind-kubeconfig"
}

resource "terraform_data" "this" {
  # What is there is kept: `make kind-up` changes what differs, whenever one of these does.
  triggers_replace = [for file in ["cluster.yaml", "images.json", "up.py"] : filesha256("${local.root}/infra/kind/${file}")]

  provisioner "local-exec" {
    working_dir = local.root
    environment = { FERRYMAN_HOME = local.home }
    interpreter = [var.python, "-m"]
    command     = "infra.kind.up"
  }

  # A file of its own: whichever cluster kubectl speaks to later, Terraform speaks to this one.
  provisioner "local-exec" {
    interpreter = ["kind", "export", "kubeconfig", "--name", "ferryman", "--kubeconfig"]
    command     = local.kubeconfig
  }
}
