-- SPDX-License-Identifier: Apache-2.0
-- What transforms that work on any record are written with: exact (a value keeps its kind, width
-- and schema), and without a table, string or closure per record. side is "key" or "value".
--
-- With a schema the operated value is a struct: a transform that changes its fields makes a shape once for each
-- schema it meets, which it remembers by the schema's uid (connect.memo), and reshapes the struct of each record by
-- it. Without one the value is an object, changed in place. What is made in configure lasts; what is made in apply
-- belongs to the schemas it is made of, and so into a memo.

local edit = { DATA = "org.apache.kafka.connect.errors.DataException" }

for _, part in ipairs { "whole", "shape", "path", "fields", "order" } do
  for name, fn in pairs(require("connect.edit." .. part)) do edit[name] = fn end
end

return edit
