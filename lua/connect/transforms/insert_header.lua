-- SPDX-License-Identifier: Apache-2.0
-- InsertHeader: appends a header that is the same for all records.
local headers = require "connect.headers"

return {
  api = 1,
  kind = "transform",
  version = "4.2.0", -- of the Apache class it stands in for
  class = "org.apache.kafka.connect.transforms.InsertHeader",
  doc = "Adds a header to each record, beside those of the same name that it has.",
  config = {
    { name = "header", type = "string", required = true, non_null = true, importance = "high",
      doc = "Name of the header." },
    { name = "value.literal", type = "string", required = true, non_null = true, importance = "high",
      doc = "Its value: a text that is read as SimpleHeaderConverter does, so that 1 is an int8." },
  },
  configure = function(config)
    return { name = config.header, literal = headers.literal(config["value.literal"]) }
  end,
  apply = function(record, self)
    headers.add_literal(record, self.name, self.literal)
    return record
  end,
}
