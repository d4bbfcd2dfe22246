# What the plan says, without AWS: `terraform test` (or `tofu test`) in environments/eks.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { name = "eu-central-1" }
  }
  mock_data "aws_availability_zones" {
    defaults = { names = ["eu-central-1c", "eu-central-1a", "eu-central-1d", "eu-central-1b"] }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-central-1:123456789012:key/mocked" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/mocked" }
  }
  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:eu-central-1:123456789012:mocked", url = "https://sqs.eu-central-1.amazonaws.com/123456789012/mocked" }
  }
  mock_resource "aws_eks_cluster" {
    defaults = { arn = "arn:aws:eks:eu-central-1:123456789012:cluster/mocked" }
  }
  mock_resource "aws_eks_access_entry" {
    defaults = { access_entry_arn = "arn:aws:eks:eu-central-1:123456789012:access-entry/mocked" }
  }
  mock_resource "aws_launch_template" {
    defaults = { id = "lt-0123456789abcdef0", latest_version = 1 }
  }
}

variables {
  region = "eu-central-1"
  admins = ["arn:aws:iam::123456789012:role/platform"]
}

run "names_follow_from_account_and_region" {
  command = apply

  assert {
    condition     = output.bucket == "ferryman-123456789012-eu-central-1"
    error_message = "bucket: ${output.bucket}"
  }
  assert {
    condition     = output.cluster == "ferryman"
    error_message = "cluster: ${output.cluster}"
  }
  assert {
    condition     = !strcontains(output.manifests, "nvidia")
    error_message = "GPU nodes are nobody's default: they cost a dollar an hour."
  }
}

run "gpus_are_limited_to_what_was_asked_for" {
  command = apply

  variables {
    gpu_limit = 2
  }

  assert {
    condition     = strcontains(output.manifests, "\"nvidia.com/gpu\": \"2\"")
    error_message = "The pool's limit is missing."
  }
}

run "a_name_that_is_too_long_is_refused" {
  command = plan

  variables {
    name = "a-name-of-more-than-twenty-characters"
  }

  expect_failures = [var.name]
}

run "the_whole_internet_is_refused_at_the_api_server" {
  command = plan

  module {
    source = "../../modules/eks"
  }

  variables {
    name               = "ferryman"
    kubernetes_version = "1.35"
    subnets            = ["subnet-1", "subnet-2"]
    node_type          = "m7i.large"
    api_cidrs          = ["0.0.0.0/0"]
  }

  expect_failures = [var.api_cidrs]
}

run "a_cluster_without_an_admin_is_refused" {
  command = plan

  module {
    source = "../../modules/eks"
  }

  variables {
    name               = "ferryman"
    kubernetes_version = "1.35"
    subnets            = ["subnet-1", "subnet-2"]
    node_type          = "m7i.large"
    api_cidrs          = []
    admins             = []
  }

  expect_failures = [var.admins]
}

run "a_tenant_that_may_read_every_model_is_refused" {
  command = plan

  module {
    source = "../../modules/storage"
  }

  variables {
    name    = "ferryman"
    bucket  = "ferryman-models"
    cluster = "ferryman"
    tenants = { tenant-a = ["*"] }
  }

  expect_failures = [var.tenants]
}
