-- SPDX-License-Identifier: Apache-2.0
-- The task whose state this is, for modules of the API that have no ctx. NULL where there is none: on the control
-- thread, in `try`, in specs.

local ffi = require "ffi"

return {
  task = ffi.cast("void *", nil), -- what the cl_ffi_* functions of a task take
  at = ffi.new "int32_t[1]", -- which of its plugins runs, for the watchdog: C.CL_SLOT_*
  clock = nil, -- a test's (connect.testkit): sleep(ms), true when the task is to stop; stopping
  closed = nil, -- what runs and may not reach out, by its name
}
