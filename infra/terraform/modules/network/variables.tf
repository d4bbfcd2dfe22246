variable "name" {
  description = "The cluster's name, after which everything here is named."
  type        = string
}

variable "cidr" {
  description = "The VPC's addresses. Pods take theirs from the private subnets, a sixteenth of this for each zone."
  type        = string

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && tonumber(split("/", var.cidr)[1]) <= 18
    error_message = "cidr: an IPv4 block of /18 or larger is needed: pods take addresses from it."
  }
}

variable "zones" {
  description = "Availability zones to spread over."
  type        = list(string)

  validation {
    condition     = length(var.zones) >= 2 && length(var.zones) <= 4
    error_message = "zones: EKS needs two at least, and this network has room for four."
  }
}

variable "nat_per_zone" {
  description = "A NAT gateway in each zone. With one alone, its zone's outage cuts every node from what is outside of the VPC."
  type        = bool
}
