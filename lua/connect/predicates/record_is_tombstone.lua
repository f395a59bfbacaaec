-- SPDX-License-Identifier: Apache-2.0
-- RecordIsTombstone: whether a record's value is null.
local edit = require "connect.edit"

return {
  api = 1,
  kind = "predicate",
  version = "4.2.0", -- of the Apache class it stands in for
  class = "org.apache.kafka.connect.transforms.predicates.RecordIsTombstone",
  doc = "True for records whose value is null.",
  test = function(record) return edit.is_null(record, "value") end,
}
