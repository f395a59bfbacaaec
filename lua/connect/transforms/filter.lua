-- SPDX-License-Identifier: Apache-2.0
-- Filter: drops every record it sees; which ones, its predicate says.
return {
  api = 1,
  kind = "transform",
  version = "4.2.0", -- of the Apache class it stands in for
  class = "org.apache.kafka.connect.transforms.Filter",
  doc = "Drops every record it gets; its predicate says which those are.",
  apply = function() return nil end,
}
