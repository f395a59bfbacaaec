-- SPDX-License-Identifier: Apache-2.0
-- Filter: drops every record it sees; which ones, its predicate says.
return {
  api = 1,
  kind = "transform",
  version = "4.2.0", -- of the Apache class it stands in for
  class = "org.apache.kafka.connect.transforms.Filter",
  doc = "Drops all records, filtering them from subsequent transformations in the chain. This is intended to be used "
    .. "conditionally to filter out records matching (or not matching) a particular Predicate.",
  apply = function() return nil end,
}
