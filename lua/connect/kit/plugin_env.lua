-- SPDX-License-Identifier: Apache-2.0
-- Run in the sandbox as a plugin is, this shows what a plugin finds there.
return _G
