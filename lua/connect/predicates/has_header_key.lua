-- SPDX-License-Identifier: Apache-2.0
-- HasHeaderKey: whether a record has a header of a name.
local headers = require "connect.headers"

return {
  api = 1,
  kind = "predicate",
  version = "4.2.0", -- of the Apache class it stands in for
  class = "org.apache.kafka.connect.transforms.predicates.HasHeaderKey",
  doc = "True for records that have at least one header of the given name.",
  config = {
    { name = "name", type = "string", required = true, non_empty = true, importance = "medium",
      doc = "Name of the header." },
  },
  test = function(record, config) return headers.has(record, config.name) end,
}
