-- SPDX-License-Identifier: Apache-2.0
-- Config rows that several of the built-in transforms and converters have.

return {
  converter_type = { name = "converter.type", type = "string", required = true, values = { "key", "value", "header" },
    importance = "low", doc = "What it converts: keys, values or headers." },
  replace_null = { name = "replace.null.with.default", type = "boolean", default = true, importance = "medium",
    doc = "Whether a null field that has a default is read as its default. Otherwise it stays null." },
}
