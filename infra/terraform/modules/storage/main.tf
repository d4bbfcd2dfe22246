# One bucket: mlflow/ for the registry, released/ for published artifacts. Who may do what there is what infra/platform
# gives MinIO's users, as IAM roles of service accounts.

locals {
  objects = "${aws_s3_bucket.this.arn}/"
}

# --- The bucket

resource "aws_kms_key" "this" {
  description             = "Models in the bucket ${var.bucket}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = data.aws_iam_policy_document.key.json
}

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

data "aws_iam_policy_document" "key" {
  # checkov:skip=CKV_AWS_109,CKV_AWS_111,CKV_AWS_356:in a key's policy * is the key itself, and the account administers it
  # The roles below decide who uses it.
  statement {
    sid       = "Account"
    actions   = ["kms:*"]
    resources = ["*"]
    principals {
      type        = "AWS"
      identifiers = ["arn:${data.aws_partition.current.partition}:iam::${data.aws_caller_identity.current.account_id}:root"]
    }
  }
}

resource "aws_kms_alias" "this" {
  name          = "alias/${var.name}-models"
  target_key_id = aws_kms_key.this.key_id
}

resource "aws_s3_bucket" "this" {
  # checkov:skip=CKV_AWS_18:every read is in CloudTrail's data events once an account turns those on; a log bucket would double it
  # checkov:skip=CKV_AWS_144:one region; whoever needs two copies the bucket as a whole
  # checkov:skip=CKV2_AWS_62:nobody waits for events: the release controller publishes and knows
  bucket = var.bucket
}

resource "aws_s3_bucket_ownership_controls" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket = aws_s3_bucket.this.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    # One call of KMS an object would cost more than the objects.
    bucket_key_enabled = true
    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.this.arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = aws_s3_bucket.this.id

  rule {
    id     = "tidy"
    status = "Enabled"
    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
    # What was deleted or overwritten can be brought back for as long.
    noncurrent_version_expiration {
      noncurrent_days = 90
    }
  }

  depends_on = [aws_s3_bucket_versioning.this]
}

data "aws_iam_policy_document" "bucket" {
  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.this.arn, "${local.objects}*"]
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

resource "aws_s3_bucket_policy" "this" {
  bucket = aws_s3_bucket.this.id
  policy = data.aws_iam_policy_document.bucket.json

  depends_on = [aws_s3_bucket_public_access_block.this]
}

# --- Who may do what in it

data "aws_iam_policy_document" "reader" {
  for_each = var.tenants

  statement {
    sid       = "Read"
    actions   = ["s3:GetObject"]
    resources = [for model in each.value : "${local.objects}released/${model}/*"]
  }
  statement {
    sid       = "List"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.this.arn]
    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = [for model in each.value : "released/${model}/*"]
    }
  }
  statement {
    sid       = "Decrypt"
    actions   = ["kms:Decrypt"]
    resources = [aws_kms_key.this.arn]
  }
}

module "reader" {
  source   = "../pod_role"
  for_each = var.tenants

  name            = "${var.name}-${each.key}"
  cluster         = var.cluster
  namespace       = each.key
  service_account = "predictor"
  policy          = data.aws_iam_policy_document.reader[each.key].json
}

# The release controller adds to released/ and deletes nothing there.
data "aws_iam_policy_document" "publisher" {
  statement {
    sid       = "ReadAndAdd"
    actions   = ["s3:GetObject", "s3:PutObject"]
    resources = ["${local.objects}released/*"]
  }
  statement {
    sid       = "List"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.this.arn]
    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["released/*"]
    }
  }
  statement {
    sid       = "Encrypt"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [aws_kms_key.this.arn]
  }
}

module "publisher" {
  source = "../pod_role"

  name            = "${var.name}-publisher"
  cluster         = var.cluster
  namespace       = "release"
  service_account = "release-controller"
  policy          = data.aws_iam_policy_document.publisher.json
}

data "aws_iam_policy_document" "registry" {
  statement {
    sid       = "Own"
    actions   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"]
    resources = ["${local.objects}mlflow/*"]
  }
  statement {
    sid       = "List"
    actions   = ["s3:ListBucket"]
    resources = [aws_s3_bucket.this.arn]
    condition {
      test     = "StringLike"
      variable = "s3:prefix"
      values   = ["mlflow/*"]
    }
  }
  statement {
    sid       = "Encrypt"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [aws_kms_key.this.arn]
  }
}

module "registry" {
  source = "../pod_role"

  name            = "${var.name}-mlflow"
  cluster         = var.cluster
  namespace       = "mlflow"
  service_account = "mlflow"
  policy          = data.aws_iam_policy_document.registry.json
}
