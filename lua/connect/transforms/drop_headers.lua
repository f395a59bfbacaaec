-- SPDX-License-Identifier: Apache-2.0
-- DropHeaders: removes headers by their names.
local headers = require "connect.headers"

return {
  api = 1,
  kind = "transform",
  version = "4.2.0", -- of the Apache class it stands in for
  class = "org.apache.kafka.connect.transforms.DropHeaders",
  doc = "Removes all headers of the given names from each record.",
  config = {
    { name = "headers", type = "list", required = true, unique = true, non_empty = true, importance = "high",
      doc = "Names of the headers to remove." },
  },
  apply = function(record, config)
    local names = config.headers
    for i = 1, #names do headers.remove(record, names[i]) end
    return record
  end,
}
