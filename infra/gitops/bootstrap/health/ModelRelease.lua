-- Whether the tenant is served, and whether its release moves, waits or was refused.
local status = obj.status or {}
local message = status.message or ""
local ready = {}
for _, each in ipairs(status.conditions or {}) do
  if each.type == "Ready" then
    ready = each
  end
end

if status.phase == nil or ready.status == nil then
  return { status = "Progressing", message = "the release controller has not looked at it yet" }
end
-- The version that clients have does not answer: whatever else goes on, this comes first.
if status.stable ~= nil and ready.status == "False" then
  return { status = "Degraded", message = ready.message }
end

local moving = { Verifying = true, Canary = true, Promoting = true, RollingBack = true }
if moving[status.phase] then
  return { status = "Progressing", message = status.phase .. ": " .. message }
end
if status.phase == "Paused" then
  return { status = "Suspended", message = message }
end
if status.phase == "Rejected" then
  return { status = "Degraded", message = message }
end
if status.phase == "Stable" then
  if status.stable == nil then
    return { status = "Suspended", message = ready.message }
  end
  return { status = "Healthy", message = "version " .. status.stable.version }
end
return { status = "Unknown", message = "phase " .. status.phase .. " is newer than this check" }
