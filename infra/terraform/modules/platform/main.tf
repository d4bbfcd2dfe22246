# Ferryman in a cluster: gateway, MinIO, MLflow, release controller, monitoring, tenants. Its own installer does it: it makes
# keys that no state file must hold, and waits in the right order.

locals {
  root = abspath("${path.module}/../../../..")
  manifests = sort(flatten([
    for folder in ["infra/platform", "kserve"] : [for file in fileset("${local.root}/${folder}", "**") : "${local.root}/${folder}/${file}"]
  ]))
}

resource "terraform_data" "this" {
  # A second run changes what differs and keeps every key.
  triggers_replace = [
    var.kubeconfig,
    var.domain,
    sha256(join("\n", [for file in local.manifests : filesha256(file) if !strcontains(file, "__pycache__")])),
  ]

  provisioner "local-exec" {
    working_dir = local.root
    environment = { KUBECONFIG = var.kubeconfig }
    interpreter = [var.python, "-m", "infra.platform", "install", "--domain", var.domain, "--images"]
    command     = var.images
  }
}
