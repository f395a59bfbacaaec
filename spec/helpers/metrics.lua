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
