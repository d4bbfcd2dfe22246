locals {
  node_class = {
    apiVersion = "karpenter.k8s.aws/v1"
    kind       = "EC2NodeClass"
    metadata   = { name = "default" }
    spec = {
      instanceProfile            = aws_iam_instance_profile.this.name
      amiSelectorTerms           = [{ alias = "al2023@latest" }]
      subnetSelectorTerms        = [for subnet in var.subnets : { id = subnet }]
      securityGroupSelectorTerms = [{ id = var.security_group }]
      # As the other nodes have it: no pod reaches a node's metadata.
      metadataOptions = { httpTokens = "required", httpPutResponseHopLimit = 1 }
      blockDeviceMappings = [{
        deviceName = "/dev/xvda"
        ebs        = { volumeType = "gp3", volumeSize = "50Gi", encrypted = true, deleteOnTermination = true }
      }]
      tags = merge(var.tags, { Name = "${var.name}-karpenter" })
    }
  }

  class = { group = "karpenter.k8s.aws", kind = "EC2NodeClass", name = "default" }
  # Predictors' images are for x86-64; a spot node that leaves takes a predictor along within two minutes.
  bought = [
    { key = "kubernetes.io/arch", operator = "In", values = ["amd64"] },
    { key = "karpenter.sh/capacity-type", operator = "In", values = ["on-demand"] },
  ]

  general = {
    apiVersion = "karpenter.sh/v1"
    kind       = "NodePool"
    metadata   = { name = "general" }
    spec = {
      template = {
        spec = {
          nodeClassRef = local.class
          expireAfter  = "720h"
          requirements = concat(local.bought, [
            { key = "karpenter.k8s.aws/instance-category", operator = "In", values = ["c", "m", "r"] },
            { key = "karpenter.k8s.aws/instance-generation", operator = "Gt", values = ["5"] },
          ])
        }
      }
      limits = { cpu = tostring(var.cpu_limit) }
      disruption = {
        consolidationPolicy = "WhenEmptyOrUnderutilized"
        consolidateAfter    = "5m"
        budgets             = [{ nodes = "1" }]
      }
    }
  }

  gpu = {
    apiVersion = "karpenter.sh/v1"
    kind       = "NodePool"
    metadata   = { name = "gpu" }
    spec = {
      template = {
        spec = {
          nodeClassRef = local.class
          expireAfter  = "720h"
          # Only who asks for a GPU comes here.
          taints = [{ key = "nvidia.com/gpu", value = "true", effect = "NoSchedule" }]
          requirements = concat(local.bought, [
            { key = "karpenter.k8s.aws/instance-category", operator = "In", values = ["g"] },
            { key = "karpenter.k8s.aws/instance-gpu-manufacturer", operator = "In", values = ["nvidia"] },
            { key = "karpenter.k8s.aws/instance-gpu-count", operator = "In", values = ["1"] },
          ])
        }
      }
      limits = { "nvidia.com/gpu" = tostring(var.gpu_limit) }
      disruption = {
        # A model on a GPU takes minutes to load: a node goes when it is empty, not when a cheaper one would do.
        consolidationPolicy = "WhenEmpty"
        consolidateAfter    = "10m"
        budgets             = [{ nodes = "1" }]
      }
    }
  }
}
