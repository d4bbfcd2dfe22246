locals {
  # EKS brings a driver and no default class.
  storage_class = {
    apiVersion           = "storage.k8s.io/v1"
    kind                 = "StorageClass"
    metadata             = { name = "gp3", annotations = { "storageclass.kubernetes.io/is-default-class" = "true" } }
    provisioner          = "ebs.csi.aws.com"
    parameters           = { type = "gp3", encrypted = "true" }
    volumeBindingMode    = "WaitForFirstConsumer"
    allowVolumeExpansion = true
  }

  karpenter_version = "1.14.1"

  next = <<-END
    aws eks update-kubeconfig --region ${var.region} --name ${module.eks.name}
    helm upgrade --install karpenter oci://public.ecr.aws/karpenter/karpenter --version ${local.karpenter_version} --namespace kube-system --wait --set settings.clusterName=${module.eks.name} --set settings.interruptionQueue=${module.karpenter.queue}
    terraform output -raw manifests | kubectl apply -f -
    python -m infra.controllers
    python -m infra.platform install --images images.json --domain DOMAIN --s3 ${module.storage.bucket} --s3-region ${var.region} --s3-cidrs ${join(",", module.network.s3_cidrs)}
  END
}
