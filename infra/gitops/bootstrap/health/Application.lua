-- A wave of the root Application waits for this. Argo CD 1.8 and later has no check of its own for it.
local sync = obj.status ~= nil and obj.status.operationState or nil
if sync == nil or sync.phase == "Running" or sync.phase == "Terminating" then
  return { status = "Progressing", message = "is being applied" }
end
if sync.phase ~= "Succeeded" then
  return { status = "Degraded", message = sync.message or "could not be applied" }
end
if obj.status.health == nil or obj.status.health.status == nil then
  return { status = "Progressing", message = "its health is not known yet" }
end
return { status = obj.status.health.status, message = obj.status.health.message or "" }
