-- SPDX-License-Identifier: Apache-2.0
-- The instances of a task beside its connector: converters and chain.

local chain = require "connect.host.chain"
local convert = require "connect.host.convert"

local M = {}

--- spec: key, value, header, transforms.
function M.new(spec)
  return {
    key = convert.new(spec.key, "key"), value = convert.new(spec.value, "value"),
    header = convert.new(spec.header, "header"), chain = chain.new(spec.transforms),
  }
end

--- New instances of what next has, beside those of parts that stay; parts itself stays as it is. next: as spec, its
-- transforms by place.
function M.renewed(parts, next)
  return {
    key = convert.new(next.key, "key") or parts.key, value = convert.new(next.value, "value") or parts.value,
    header = convert.new(next.header, "header") or parts.header, chain = chain.renewed(parts.chain, next.transforms),
  }
end

return M
