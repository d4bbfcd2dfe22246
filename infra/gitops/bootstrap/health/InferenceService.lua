-- Argo CD's own check calls a version that the release controller stopped (no pod, Ready) Progressing for ever.
local status = obj.status or {}
local model = status.modelStatus or {}

local function condition(kind)
  for _, each in ipairs(status.conditions or {}) do
    if each.type == kind then
      return each
    end
  end
  return {}
end

local ready = condition("Ready")
local broken = model.transitionStatus == "BlockedByFailedLoad" or model.transitionStatus == "InvalidSpec"

if condition("Stopped").status == "True" then
  return { status = "Suspended", message = "stopped" }
end
if broken then
  local failure = model.lastFailureInfo or {}
  return { status = "Degraded", message = failure.message or failure.reason or model.transitionStatus }
end
if ready.status == "True" then
  if model.copies ~= nil and model.copies.totalCopies == 0 then
    return { status = "Suspended", message = "kept without a pod" }
  end
  return { status = "Healthy", message = "" }
end
return { status = "Progressing", message = ready.message or ready.reason or "KServe has not looked at it yet" }
