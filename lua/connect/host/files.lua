-- SPDX-License-Identifier: Apache-2.0
-- The readers and writers of connect.file, whatever file they are asked for. The work is C's
-- (src/vm/reader.c, src/vm/writer.c).

local ffi = require "ffi"

local C = require "connect.host.abi"
local draft = require "connect.host.draft"
local errors = require "connect.errors"
local host = require "connect.host.c"
local view = require "connect.host.view"

local function raise(rc)
  local why = ffi.string(C.cl_ffi_error())
  if rc == host.EDATA then errors.data_error("%s", why) end
  errors.fatal("%s", why)
end

local function check(rc)
  if rc ~= 0 then raise(rc) end
end

local function field(t, name, kind, default)
  if type(t) ~= "table" then error("a table of options expected, not a " .. type(t), 3) end
  local x = t[name]
  if x == nil then x = default end
  if x ~= nil and type(x) ~= kind then error(name .. " must be a " .. kind .. ", not a " .. type(x), 3) end
  return x
end

local reader_p, writer_p = ffi.typeof "struct cl_reader *", ffi.typeof "struct cl_writer *"

-- Plugins call methods with what they like.
local function check_self(self, ct, what)
  if not ffi.istype(ct, self) then error("a " .. what .. " expected, got " .. type(self) .. ": call it as " .. what
    .. ":method(...)", 3) end
end

-- ------------------------------------------------------------------- reader

local reader = {}

--- Adds at most `max` lines (default: what fits) as string records of `topic` with the
-- source partition `partition`; their offsets are {position = byte after the line}. Answers
-- how many, or nil and "missing" while the file does not exist.
function reader:fill(options)
  check_self(self, reader_p, "reader")
  local batch = view.current.batch
  if batch == nil or batch.stage ~= 0 then error("reader:fill works inside poll only", 2) end
  local topic = field(options, "topic", "string") or error("topic is missing", 2)
  local partition = field(options, "partition", "number") or error("partition is missing", 2)
  if not draft.is_id(partition) then error("partition " .. partition .. " is no id of ctx:partition", 2) end
  local max = math.max(1, math.min(field(options, "max", "number", 0x7fffffff), 0x7fffffff))
  local n = C.cl_ffi_reader_fill(self, batch, max, topic, #topic, partition)
  if n >= 0 then return n end
  if n == host.ENOTFOUND then return nil, "missing" end
  raise(n)
end

local str = ffi.new "struct cl_str"

--- The next complete line without its end; nil while there is none ("missing" = no file).
function reader:line()
  check_self(self, reader_p, "reader")
  local n = C.cl_ffi_reader_line(self, str)
  if n == 1 then return ffi.string(str.p, str.len) end
  if n == 0 then return nil end
  if n == host.ENOTFOUND then return nil, "missing" end
  raise(n)
end

--- The byte after the last line handed out.
function reader:position()
  check_self(self, reader_p, "reader")
  return tonumber(C.cl_ffi_reader_position(self))
end

function reader:close()
  check_self(self, reader_p, "reader")
  C.cl_ffi_reader_close(self)
end

-- ------------------------------------------------------------------- writer

local writer = {}

--- Appends a value's text and a line end; buffered until flush or sync.
function writer:line(value)
  check_self(self, writer_p, "writer")
  local text = view.text(value)
  check(C.cl_ffi_writer_line(self, text, #text))
end

--- Appends a line for every record's value, and hands them to the system.
function writer:batch(batch)
  check_self(self, writer_p, "writer")
  check(C.cl_ffi_writer_batch(self, view.batch_of(batch)))
end

--- Hands what is buffered to the system.
function writer:flush()
  check_self(self, writer_p, "writer")
  check(C.cl_ffi_writer_flush(self, 0))
end

--- The same, and waits until it is safe on the disk.
function writer:sync()
  check_self(self, writer_p, "writer")
  check(C.cl_ffi_writer_flush(self, 1))
end

function writer:close()
  check_self(self, writer_p, "writer")
  check(C.cl_ffi_writer_close(self))
end

-- ------------------------------------------------------------------- module

ffi.metatype("struct cl_reader", { __index = reader, __metatable = false })
ffi.metatype("struct cl_writer", { __index = writer, __metatable = false })

local files = {}

function files.reader(options)
  local r = C.cl_ffi_reader_open(field(options, "path", "string"), field(options, "position", "number", 0))
  if r == nil then raise(0) end
  return ffi.gc(r, C.cl_ffi_reader_free)
end

function files.writer(options)
  local w = C.cl_ffi_writer_open(field(options, "path", "string"))
  if w == nil then return nil, ffi.string(C.cl_ffi_error()) end
  return ffi.gc(w, C.cl_ffi_writer_free)
end

return files
