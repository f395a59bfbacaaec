-- SPDX-License-Identifier: Apache-2.0
-- A task without Kafka: the one that authors have, too.
return require "connect.testkit.task"
