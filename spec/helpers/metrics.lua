-- SPDX-License-Identifier: Apache-2.0
-- GET /metrics as a table of values, and as promtool sees it.
local helpers = require "spec.helpers"

local metrics = {}

--- The page's text; it is what Prometheus asks for.
function metrics.page(worker, options)
  local accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.4"
  local status, text, fields = worker:http("GET", "/metrics", nil, { Accept = accept }, options)
  assert(status == 200, status)
  assert(fields["content-type"] == "text/plain; version=0.0.4; charset=utf-8", fields["content-type"])
  return text
end

--- { ['name{a="1",b="2"}'] = number }, labels as they stand.
function metrics.of(worker)
  local out = {}
  for line in metrics.page(worker):gmatch "[^\n]+" do
    if line:sub(1, 1) ~= "#" then
      local name, value = line:match "^(.*) (%S+)$"
      assert(name and tonumber(value), line)
      assert(out[name] == nil, "twice: " .. name)
      out[name] = tonumber(value)
    end
  end
  return out
end

--- Proofs of one worker's metrics. The first argument of each is the name, written out: the names that are
-- nowhere in the specs are those that nothing proves (metrics.unproved).
function metrics.proofs(worker)
  local proofs = {}

  local function wait(what, name, labels, ask)
    local page
    helpers.wait_for(what, function()
      page = metrics.of(worker)
      local value = page[name .. (labels or "")]
      return value and ask(value)
    end)
    return page
  end

  --- The page on which it is value.
  function proofs.wait_value(name, labels, value)
    return wait(("%s%s to be %s"):format(name, labels or "", value), name, labels, function(now) return now == value end)
  end

  function proofs.wait_more(name, labels, than)
    return wait(("%s%s to be more than %s"):format(name, labels or "", than), name, labels,
      function(now) return now > than end)
  end

  return proofs
end

function metrics.is(name, labels, page, value)
  local now = page[name .. (labels or "")]
  assert(now == value, ("%s%s is %s, not %s"):format(name, labels or "", tostring(now), tostring(value)))
end

function metrics.at_least(name, labels, page, value)
  local now = page[name .. (labels or "")]
  assert(now and now >= value, ("%s%s is %s, less than %s"):format(name, labels or "", tostring(now), tostring(value)))
end

--- The names on a page that no spec proves.
function metrics.unproved(page)
  local proved, unproved = {}, {}
  for path in (helpers.shell("ls '" .. helpers.root .. "'/spec/04-integration/metrics*_spec.lua")):gmatch "%S+" do
    local text = helpers.read(path):gsub("%-%-[^\n]*", "")
    for _, verb in ipairs { "is", "at_least", "wait_value", "wait_more" } do
      for name in text:gmatch("%f[%w_]" .. verb .. "%s*%(%s*[\"']([%w_]+)") do proved[name] = true end
    end
  end
  for name in page:gmatch "# TYPE (%S+)" do
    if not proved[name] and not name:find "^connect_lua_plugin_" then unproved[#unproved + 1] = name end
  end
  return unproved
end

--- What promtool finds fault with in a page, as a list of lines.
function metrics.lint(text)
  local path = helpers.write(helpers.folder() .. "/page", text)
  local out, code = helpers.shell("promtool check metrics < '" .. path .. "'")
  assert(code == 0 or code == 3, "promtool check metrics (Debian's package prometheus) ended with " .. code .. ": " .. out)
  local faults = {}
  for line in out:gmatch "[^\n]+" do faults[#faults + 1] = line end
  return faults
end

return metrics
