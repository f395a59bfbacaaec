/* SPDX-License-Identifier: Apache-2.0
 *
 * The one description of what C and Lua share: records, values, schemas and
 * the cl_ffi_* functions. The C compiler includes it, and lua/connect/host/abi.lua
 * hands the same text to ffi.cdef, so it holds structs, enums and prototypes only:
 * no #include, no macros. Any change bumps CL_ABI_VERSION.
 *
 * Ownership: everything reachable from a cl_record lives in its batch's arena, in
 * the Kafka messages the batch holds, or (schemas, symbols) in the task's cl_space, which keeps
 * them at least as long as the batch (cl_lives); never by the Lua collector.
 * Thread: a batch belongs to the one thread of its task.
 */
#pragma once

enum { CL_ABI_VERSION = 13 };

enum {                      /* tables that both sides read by the low bits of a number: powers of two */
       CL_GENERATIONS = 16, /* at most 7 bits of a symbol; see cl_lives */
       CL_EPOCHS = 256      /* of the batches of a pool that are alive */
};

enum { /* sizes both compilers have to agree about (abi_c.h, connect.host.abi) */
       CL_VAL_SIZE = 16,
       CL_ENTRY_SIZE = 24,
       CL_SCHEMA_SIZE = 152,
       CL_RECORD_SIZE = 208,
       CL_BATCH_SIZE = 112
};

/* Bytes that somebody else owns. p is NULL for "absent" (a null key or value). */
struct cl_str {
  const char *p;
  uint32_t len;
};

/* ---------------------------------------------------------------- values */

enum cl_kind {
  CL_MISSING = 0, /* no value at all: an absent field, an empty default */
  CL_NULL,
  CL_FALSE,
  CL_TRUE,
  CL_INT,       /* i; aux = width 8, 16, 32, 64 */
  CL_FLOAT32,   /* f, exactly representable as float */
  CL_FLOAT64,   /* f */
  CL_NUMTEXT,   /* s, len: a JSON float literal not yet read as a double */
  CL_BIGINT,    /* s, len: decimal text of an integer beyond int64 */
  CL_DECIMAL,   /* dec */
  CL_STRING,    /* s, len: valid UTF-8 */
  CL_BYTES,     /* s, len */
  CL_DATE,      /* i: ms since the epoch, UTC midnight */
  CL_TIME,      /* i: ms since midnight, 0..86400000 */
  CL_TIMESTAMP, /* i: ms since the epoch */
  CL_ARRAY,     /* arr */
  CL_OBJECT,    /* obj: string keys, order of input */
  CL_MAP,       /* map: any keys */
  CL_STRUCT     /* st */
};

enum cl_val_flag {
  CL_VAL_CLEAN = 1, /* string needs no escape in JSON */
  CL_VAL_CANON = 2  /* NUMTEXT is already Java's text of that double */
};

struct cl_val { /* 16 bytes */
  uint8_t kind;
  uint8_t flags;
  uint16_t aux;
  uint32_t len;
  union {
    int64_t i;
    double f;
    const char *s;
    struct cl_obj *obj;
    struct cl_arr *arr;
    struct cl_map *map;
    struct cl_struct *st;
    struct cl_decimal *dec;
  };
};

/* Containers have a stable header: views point at the header, growth moves only
 * what hangs off it. */
struct cl_entry { /* 24 bytes */
  uint32_t sym;   /* key, see cl_ffi_sym_text */
  uint32_t unused;
  struct cl_val val;
};

/* A plugin's walk over the fields of a container, from which it may remove some meanwhile (host/view.lua). */
struct cl_walk {
  uint32_t at;    /* the position given last, from 1 */
  uint32_t gone;  /* how many up to there were removed since */
  uint32_t bound; /* what is behind was added since the walk began */
};

struct cl_obj {
  uint32_t n, cap;
  uint32_t java_cap;  /* capacity with which the java.util.HashMap it stands for was made, a power of two */
  uint32_t linked;    /* 1 = it stands for a LinkedHashMap: its own order is the one Java writes */
  struct cl_entry *e; /* keys unique; first-seen order */
  struct cl_obj_index *index;     /* src/record/obj_index.h: of an object that grew large; NULL = none */
  const struct cl_schema *schema; /* noted by views when read out of what has one; NULL = none known */
  struct cl_walk walk;
};

struct cl_arr {
  uint32_t n, cap;
  struct cl_val *v;
  const struct cl_schema *schema; /* as in cl_obj */
};

struct cl_map_entry {
  struct cl_val key, val;
};

struct cl_map {
  uint32_t n, cap;
  uint32_t java_cap, linked; /* as in cl_obj */
  struct cl_map_entry *e;
  const struct cl_schema *schema; /* as in cl_obj */
  struct cl_walk walk;
};

struct cl_struct {
  const struct cl_schema *schema;
  uint32_t n;
  struct cl_walk walk;
  struct cl_val *v;       /* one per schema field, in field order; CL_MISSING = never set */
  struct cl_datum *owner; /* the key or value it was last read from, if it was; see host/write.lua */
};

struct cl_decimal {     /* unscaled * 10^-scale, exact at any size */
  struct cl_str digits; /* optional '-', then digits without leading zeros */
  int32_t scale;
};

/* --------------------------------------------------------------- schemas */

enum cl_type {
  CL_TYPE_INT8 = 1,
  CL_TYPE_INT16,
  CL_TYPE_INT32,
  CL_TYPE_INT64,
  CL_TYPE_FLOAT32,
  CL_TYPE_FLOAT64,
  CL_TYPE_BOOLEAN,
  CL_TYPE_STRING,
  CL_TYPE_BYTES,
  CL_TYPE_ARRAY,
  CL_TYPE_MAP,
  CL_TYPE_STRUCT
};

enum cl_logical { /* decided by the schema's name alone, as Connect does */
                  CL_LOGICAL_NONE = 0,
                  CL_LOGICAL_DECIMAL,
                  CL_LOGICAL_DATE,
                  CL_LOGICAL_TIME,
                  CL_LOGICAL_TIMESTAMP
};

struct cl_param {
  struct cl_str name, value;
};

struct cl_field {
  struct cl_str name;
  uint32_t sym;
  uint32_t index;
  const struct cl_schema *schema;
};

struct cl_schema { /* immutable; equal schemas that live equally long are the same pointer */
  uint8_t type;    /* cl_type */
  uint8_t logical; /* cl_logical */
  uint8_t optional;
  uint8_t has_version;
  int32_t version;
  uint32_t n_fields, n_params;
  uint16_t life;  /* see cl_lives */
  uint16_t depth; /* 1 = it has no parts; see cl_ffi_schema */
  uint64_t uid;   /* 1.. within the cl_space, never given twice */
  uint64_t hash;
  struct cl_str name, doc; /* p NULL = none */
  struct cl_str json[2];   /* as JsonConverter writes it, decimals BASE64 and NUMERIC; made on first use */
  const struct cl_field *fields;
  const struct cl_schema *key, *value; /* map key; map value or array element */
  const struct cl_param *params;
  struct cl_val def; /* default; CL_MISSING = none */
};

/* --------------------------------------------------------------- records */

struct cl_datum { /* one key, value or header value, decoded and as bytes */
  struct cl_val val;
  const struct cl_schema *schema; /* NULL = schemaless */
  struct cl_str bytes;            /* p NULL = Kafka null */
};

struct cl_header {
  struct cl_str name;
  struct cl_datum d;
};

enum cl_record_state {
  CL_RECORD_LIVE = 0, /* goes on to the next stage */
  CL_RECORD_DROPPED,  /* filtered or revoked: counts as consumed, is not delivered */
  CL_RECORD_FAILED    /* errors.tolerance=all has passed over it: the same, and it has a cl_failure */
};

struct cl_record {
  struct cl_datum key, value;
  struct cl_str topic;
  int32_t partition;      /* -1 = none: let the partitioner choose */
  int32_t timestamp_type; /* 0 none, 1 create, 2 log append (sinks) */
  int64_t timestamp;      /* ms; INT64_MIN = none, as -1 is no less a moment than -2 */
  int64_t offset;         /* sinks: Kafka offset */
  struct cl_header *headers;
  struct cl_header *orig_headers; /* sink: as consumed; changing the list never changes this one's bytes */
  uint32_t n_headers, cap_headers, n_orig_headers;
  uint32_t slot;            /* source: partition id of ctx:partition; sink: consumer slot */
  struct cl_str orig_topic; /* as consumed (sink) or emitted (source), before transforms */
  int64_t orig_timestamp;   /* sink: the same */
  int32_t orig_partition;
  uint8_t state; /* cl_record_state */
  uint8_t acked; /* source: Kafka has it; records sent before it may not be there yet */
  uint16_t unused;
  struct cl_val source_offset; /* source: CL_OBJECT, CL_NULL, or CL_INT = {batch.offset_name: i} */
  struct cl_batch *batch;
};

/* Why a stage could not work on a record. Texts end with NUL. */
struct cl_failure {
  struct cl_record *record;
  struct cl_failure *next; /* of a record further on in the batch */
  const char *stage;       /* Apache's name: KEY_CONVERTER, TRANSFORMATION, ... */
  const char *plugin;      /* class that ran */
  const char *exception;   /* class of the exception */
  const char *message;
  const char *trace; /* what follows "exception: message" in a stack trace; may be empty */
};

enum cl_batch_stage {
  CL_BATCH_RAW = 0, /* bytes as consumed, or values as emitted */
  CL_BATCH_READY    /* sink: decoded; source: encoded */
};

struct cl_batch {
  uint32_t n, cap; /* records used; ceiling of this batch */
  uint16_t epoch;  /* tag carried by views; changes when the batch is reset */
  uint8_t stage;   /* cl_batch_stage */
  uint8_t unused;
  uint32_t refs; /* see src/record/batch.h */
  struct cl_record *records;
  struct cl_str offset_name; /* field name of CL_INT source offsets, e.g. "position" */
  struct cl_space *space;    /* symbols and schemas of the task */
  struct cl_arena *arena;
  void *owner;               /* src/record/batch.c */
  const uint16_t *epochs;    /* CL_EPOCHS slots of the pool: epochs[epoch % CL_EPOCHS] == epoch while alive */
  struct cl_record *emitted; /* source: the records before transforms; NULL = `records` are. See
                              * cl_ffi_batch_keep_emitted */
  struct cl_record **live;   /* the n_live records that go on; NULL = all n. See cl_ffi_batch_live */
  uint32_t n_live;
  struct cl_failure *failures, *last_failure; /* in the order of their records; see cl_ffi_fail */
};

/* ------------------------------------------------- functions called by FFI
 * None of them touches a lua_State, calls back into Lua, raises, or blocks
 * without a timeout. 0 = done, negative = enum cl_code of src/base/err.h, with
 * the text in the calling thread's error slot (cl_ffi_error). */

/* record/: how long schemas, shapes and the like live. The first ones, and those made while nothing is worked
 * on, live as long as the task (life 0); the others belong to a generation, which is followed by another at
 * the begin of a batch when much was made, and is freed when the last batch begun under it is. */
struct cl_lives {
  uint16_t alive[CL_GENERATIONS]; /* alive[(life - 1) % CL_GENERATIONS] == life while that generation lives */
  uint16_t newest;                /* what is made now gets this life, */
  uint16_t lasting;               /* or 0: 0 = little of it, 1 = more, 2 = all that is made */
};
struct cl_lives *cl_ffi_lives(struct cl_space *space);

/* record/: symbols and containers. find answers NULL when absent. */
struct cl_str cl_ffi_sym_text(const struct cl_space *space, uint32_t sym);
struct cl_val *cl_ffi_obj_find(const struct cl_space *space, struct cl_obj *obj, const char *s, uint32_t len);
struct cl_val *cl_ffi_struct_find(struct cl_struct *st, const char *s, uint32_t len);

/* record/: writing values; bytes are copied into the batch's arena. */
int cl_ffi_put_string(struct cl_batch *batch, struct cl_val *out, const char *s, uint32_t len);
int cl_ffi_put_bytes(struct cl_batch *batch, struct cl_val *out, const char *s, uint32_t len);

/* record/: building and changing, in the batch's arena. NULL = no memory; negative = that, or
 * what the comment says. Keys and names are copied. */
struct cl_val *cl_ffi_obj_put(struct cl_batch *batch, struct cl_obj *obj, const char *s, uint32_t len);
int cl_ffi_obj_remove(const struct cl_space *space, struct cl_obj *obj, const char *s,
                      uint32_t len); /* 1 = was there */
/* A HashMap made for java_cap: it has the least power of two from there on. Both here and below no more than
 * a million, or twice the entries. */
struct cl_obj *cl_ffi_obj_new(struct cl_batch *batch, uint32_t java_cap);
/* As if Java had made a new HashMap of the least power of two >= cap and put the entries into it. in_key:
 * they also take the order they had, which shows when a key is written. */
int cl_ffi_obj_copied(struct cl_batch *batch, struct cl_obj *obj, uint32_t cap, int in_key);

/* Which keys of an object go on, and under which name. */
struct cl_name_rule {
  struct cl_str name;
  struct cl_str to; /* p NULL = the entry is dropped */
  uint32_t sym, to_sym;
};
struct cl_names {
  uint32_t n;
  uint16_t life;
  uint16_t keep_others; /* keys without a rule: 1 = stay, 0 = are dropped */
  struct cl_name_rule rule[];
};
struct cl_names *cl_ffi_names_new(struct cl_space *space, uint32_t n);
int cl_ffi_names_set(struct cl_space *space, struct cl_names *names, uint32_t i, const char *name,
                     uint32_t len, const char *to, uint32_t to_len);
/* All rules at once, as if put into a new HashMap with room for what the object had. */
int cl_ffi_obj_project(struct cl_batch *batch, struct cl_obj *obj, const struct cl_names *names, int in_key);
struct cl_struct *cl_ffi_struct_new(struct cl_batch *batch, const struct cl_schema *schema);
struct cl_arr *cl_ffi_arr_new(struct cl_batch *batch, uint32_t n);
struct cl_val *cl_ffi_arr_put(struct cl_batch *batch, struct cl_arr *arr, uint32_t i); /* i <= n */
struct cl_map *cl_ffi_map_new(struct cl_batch *batch);
struct cl_map_entry *cl_ffi_map_add(struct cl_batch *batch, struct cl_map *map);
/* Containers of its own for a value of the same batch; and all of its own for one of another batch. */
int cl_ffi_copy(struct cl_batch *batch, struct cl_val *out, const struct cl_val *from);
int cl_ffi_copy_other(struct cl_batch *batch, struct cl_val *out, const struct cl_val *from);
int cl_ffi_put_decimal(struct cl_batch *batch, struct cl_val *out, const char *digits, uint32_t len,
                       int32_t scale);
/* Whether Connect's API takes the value for the schema; CL_EDATA tells why not. field p NULL = a bare value.
 */
int cl_ffi_fits(const struct cl_val *v, const struct cl_schema *schema, const char *field, uint32_t len);
/* Interned. NULL = no memory, or CL_EDATA: it is nested so deep that C's stack might end. */
const struct cl_schema *cl_ffi_schema(struct cl_space *space, const struct cl_schema *draft);
/* The equal schema that what is made now may use: one of an older generation has a twin. */
const struct cl_schema *cl_ffi_schema_now(struct cl_space *space, const struct cl_schema *s);
int cl_ffi_logical(struct cl_str name); /* the cl_logical a schema's name stands for */

/* How structs of one schema become ones of another: the source of each new field. It is used on structs of
 * that schema only, and a value whose old and new schema differ is checked. */
struct cl_source {
  int32_t at;       /* index of the old field, -1 = left unset */
  uint32_t differs; /* 1 = the old field has another schema than the new one */
};
struct cl_shape {
  const struct cl_schema *to;
  uint64_t from; /* uid of the old schema */
  uint32_t n;    /* = to->n_fields */
  uint16_t life;
  uint8_t nulls; /* 1 = a null field that has a default is read as it, 2 = nulls are not looked at */
  uint8_t flat;  /* 1 = made by cl_ffi_flat_shape */
  struct cl_source source[];
};
struct cl_shape *cl_ffi_shape_new(struct cl_space *space, const struct cl_schema *from,
                                  const struct cl_schema *to);
/* New field i is taken from old field at, of the from of cl_ffi_shape_new. CL_EDATA = there is no such one.
 */
int cl_ffi_shape_set(struct cl_shape *shape, const struct cl_schema *from, uint32_t i, uint32_t at);
/* The new struct. CL_EDATA = a struct of another schema, a null where the new schema has none, or a value
 * that does not fit it. */
int cl_ffi_reshape(struct cl_batch *batch, const struct cl_shape *shape, const struct cl_struct *from,
                   struct cl_struct **out);

/* Names of fields on the way to one inside. */
struct cl_path {
  uint32_t n;
  uint32_t life;
  uint64_t from;                /* uid of the schema it starts at, 0 = of none */
  const struct cl_schema *leaf; /* at its end; NULL where from is 0 */
  struct cl_str step[];
};
/* from NULL = none. All n steps are to be set before it is used; each answers CL_EDATA where the schema has
 * no such field. */
struct cl_path *cl_ffi_path_new(struct cl_space *space, const struct cl_schema *from, uint32_t n);
int cl_ffi_path_set(struct cl_space *space, struct cl_path *path, uint32_t i, const char *name, uint32_t len);
/* *d, whose schema is path.from, becomes the field at the path's end, null when something on the way is. A
 * field on the way is read with its default, the last one with replace_null only. */
int cl_ffi_extract(struct cl_batch *batch, struct cl_datum *d, const struct cl_path *path, int replace_null);

/* Flatten. The way from structs of a schema to flat ones, NULL with Connect's error; then *v, a struct of
 * that schema or an object, becomes flat. in_key: objects are read in the order of their HashMaps. */
struct cl_shape *cl_ffi_flat_shape(struct cl_batch *batch, const struct cl_schema *from,
                                   const char *delimiter, uint32_t len);
int cl_ffi_flat_struct(struct cl_batch *batch, const struct cl_shape *shape, struct cl_val *v);
int cl_ffi_flat_object(struct cl_batch *batch, struct cl_val *v, const char *delimiter, uint32_t len,
                       int in_key);

/* record/: headers. The list may move when one is added. */
struct cl_header *cl_ffi_header_add(struct cl_batch *batch, struct cl_record *rec, const char *name,
                                    uint32_t len);
/* How many, or CL_ENOMEM. The list moves: headers that somebody still looks at stay as they were. */
int cl_ffi_header_remove(struct cl_record *rec, const char *name, uint32_t len);
int cl_ffi_header_fits(struct cl_batch *batch,
                       const struct cl_datum *d); /* Connect's check of a header being added; CL_EDATA */
struct cl_header *cl_ffi_header_last(struct cl_record *rec, const char *name, uint32_t len); /* NULL = none */
/* What Connect's Values makes of a text; it is to be copied. */
struct cl_literal {
  uint32_t life, unused;
  struct cl_datum d;
};
const struct cl_literal *cl_ffi_literal(struct cl_space *space, const char *s, uint32_t len);

/* record/: the codecs behind the built-in converters. */
struct cl_json;    /* one JsonConverter instance: its options and schema cache */
struct cl_charset; /* by any of its Java names; lives for ever, NULL = unknown */
const struct cl_charset *cl_ffi_charset(const char *name, uint32_t len);
int cl_ffi_string_decode(struct cl_batch *batch, struct cl_datum *d, const struct cl_charset *charset);
int cl_ffi_string_encode(struct cl_batch *batch, struct cl_datum *d, const struct cl_charset *charset);
int cl_ffi_bytes_decode(struct cl_batch *batch, struct cl_datum *d);
int cl_ffi_bytes_encode(struct cl_batch *batch, struct cl_datum *d);
int cl_ffi_json_decode(struct cl_json *json, struct cl_batch *batch, struct cl_datum *d);
int cl_ffi_json_encode(struct cl_json *json, struct cl_batch *batch, struct cl_datum *d);
int32_t cl_ffi_java_hash(const char *s, uint32_t len); /* String.hashCode */
const char *cl_ffi_class(const struct cl_val *v);      /* Java's class of a value, "null" for null */
/* type: CL_TYPE_BOOLEAN, INT16, INT32, INT64, FLOAT32 or FLOAT64. */
int cl_ffi_primitive_decode(struct cl_batch *batch, struct cl_datum *d, int type);
int cl_ffi_primitive_encode(struct cl_batch *batch, struct cl_datum *d, int type);
int cl_ffi_header_decode(struct cl_batch *batch, struct cl_datum *d);
int cl_ffi_header_encode(struct cl_batch *batch, struct cl_datum *d);
/* Java's toString of a value, as StringConverter and FileStreamSink print it. */
int cl_ffi_text(struct cl_batch *batch, const struct cl_val *v, struct cl_str *out);

/* record/: what the transforms compute. The objects are made by host.date_format and host.regex
 * and die with the state. */
struct cl_date_format; /* a SimpleDateFormat, UTC */
struct cl_regex;
int cl_ffi_date_format(const struct cl_date_format *f, struct cl_batch *batch, int64_t ms,
                       struct cl_val *out);
int cl_ffi_date_parse(const struct cl_date_format *f, const char *s, uint32_t len, int64_t *ms);
/* What Cast, MaskField and TimestampConverter do to values. */
enum cl_change_kind {
  CL_CHANGE_CAST = 0, /* it becomes another simple type's */
  CL_CHANGE_MASK,     /* it is hidden */
  CL_CHANGE_MOMENT    /* it becomes another form of the same moment */
};
enum cl_moment { CL_MOMENT_STRING = 0, CL_MOMENT_UNIX, CL_MOMENT_DATE, CL_MOMENT_TIME, CL_MOMENT_TIMESTAMP };
struct cl_change {
  uint32_t at;                  /* of a struct: which field */
  int32_t type;                 /* of a cast: the cl_type */
  const struct cl_schema *from; /* of a cast and a moment; NULL = none */
  struct cl_str name;           /* of an object: which field, made null where it is not there */
};
struct cl_changes {
  const struct cl_shape *shape; /* of structs: they are reshaped, too; NULL = none */
  uint32_t n;
  uint16_t life;
  uint8_t kind;   /* cl_change_kind */
  uint8_t target; /* of moments: cl_moment */
  int64_t unit;   /* of moments: Unix times' units in a millisecond, negative = ms in a unit */
  const struct cl_date_format *format; /* of moments that are text; NULL = none */
  struct cl_str text;        /* of masks: the replacement, p NULL = none; of moments: the format's pattern */
  struct cl_change change[]; /* by field */
};
/* brief = 1: from will be set, to schemas that need not last. */
struct cl_changes *cl_ffi_changes_new(struct cl_space *space, uint32_t n, int kind, int brief,
                                      const char *text, uint32_t len);
int cl_ffi_changes_name(struct cl_space *space, struct cl_changes *changes, uint32_t i, const char *name,
                        uint32_t len);
/* Reshapes and changes field by field, as Java does: the first field that cannot be fails. */
int cl_ffi_change_struct(struct cl_batch *batch, const struct cl_changes *changes,
                         const struct cl_struct *from, struct cl_struct **out);
/* The same of the struct that is from's default. */
int cl_ffi_change_default(struct cl_batch *batch, const struct cl_changes *changes,
                          const struct cl_schema *from, struct cl_struct **out);
int cl_ffi_change_object(struct cl_batch *batch, const struct cl_changes *changes, struct cl_obj *obj);
/* The only change is made to a whole value, which becomes one of schema to (NULL = none): of its type at
 * least, whatever its name says. */
int cl_ffi_change_whole(struct cl_batch *batch, const struct cl_changes *changes, struct cl_val *v,
                        const struct cl_schema *to);
/* The whole text matches: 1, 0, or negative when finding out takes too long. */
int cl_ffi_regex_matches(struct cl_regex *regex, const char *s, uint32_t len);
/* Matcher.replaceFirst; *out is *s where nothing matches, and may be it. */
int cl_ffi_regex_replace_first(struct cl_regex *regex, struct cl_batch *batch, const struct cl_str *s,
                               const char *replacement, uint32_t len, struct cl_str *out);

/* record/: the last error of this thread's failed cl_ffi_* call: enum cl_code of src/base/err.h, its text,
 * its Java class (NULL = the usual one), lines for its stack trace ("" = none). */
int cl_ffi_error_code(void);
const char *cl_ffi_error(void);
const char *cl_ffi_error_class(void);
const char *cl_ffi_error_trace(void); /* "Caused by: ...", or "" */

/* vm/: the task's side. task is what spec.opaque gave the state. */
int cl_ffi_sleep(void *task, int64_t ms);  /* serves delivery reports meanwhile; 1 = asked to stop */
int cl_ffi_stopping(void *task);           /* 1 = asked to stop */
void cl_ffi_phase(void *task, int plugin); /* the plugin's poll or put begins (1), or is over (0) */

/* The plugins of a task, numbered: which of them runs within a verb is stored where cl_ffi_at says (NULL =
 * nobody asks), once for a batch and not for each record; each verb begins with its connector. */
enum {
  CL_SLOT_CONNECTOR,
  CL_SLOT_KEY,
  CL_SLOT_VALUE,
  CL_SLOT_HEADER,
  CL_SLOT_CHAIN /* transform i, from 0, is CL_SLOT_CHAIN + 2 i, and its predicate the one behind it */
};
int32_t *cl_ffi_at(void *task);

/* A metric of the plugin's own: its number, or -1 when the task has as many as it may. Names are
 * [a-z][a-z0-9_]*, at most 63 characters; the same name is the same metric. Without a task nobody counts. */
int cl_ffi_metric(void *task, const char *name, int gauge);
void cl_ffi_metric_add(void *task, int metric, double n);
void cl_ffi_metric_set(void *task, int metric, double value);

/* vm/: batches. emit answers the next record (key, value and source offset null), or NULL when
 * the batch is full; undo takes it away again. */
struct cl_record *cl_ffi_emit(struct cl_batch *batch);
void cl_ffi_emit_undo(struct cl_batch *batch);
int cl_ffi_put_str(struct cl_batch *batch, struct cl_str *out, const char *s, uint32_t len); /* copied */
struct cl_header *cl_ffi_headers(struct cl_batch *batch, struct cl_record *rec, uint32_t n);
int cl_ffi_batch_full(const struct cl_batch *batch); /* 1 = poll should return: by records or by bytes */
int cl_ffi_batch_live(struct cl_batch *batch);       /* makes batch.live */
/* Adds to batch.failures; the texts are copied. The record's state is the caller's matter. */
int cl_ffi_fail(struct cl_record *rec, const char *stage, const char *plugin, const char *exception,
                const char *message, const char *trace);
/* What bytes that a converter refuses look like, as "is empty" or "looks like text". */
const char *cl_ffi_guess(struct cl_str bytes);
/* Makes batch.emitted: the records as they are now, whatever is done to them afterwards. */
int cl_ffi_batch_keep_emitted(struct cl_batch *batch);
void cl_ffi_batch_ref(struct cl_batch *batch);
void cl_ffi_batch_unref(struct cl_batch *batch);

/* vm/: files, behind connect.file. path NULL = standard input or output. close leaves an
 * object on which every call fails; free also frees it. */
struct cl_reader;
struct cl_writer;
struct cl_reader *cl_ffi_reader_open(const char *path, int64_t position);
/* Adds at most max lines as records of topic and slot: how many, or CL_ENOTFOUND while the
 * file does not exist. */
int cl_ffi_reader_fill(struct cl_reader *r, struct cl_batch *batch, uint32_t max, const char *topic,
                       uint32_t topic_len, uint32_t slot);
/* The next line, borrowed until the next call: 1, 0 = none yet, or as fill. */
int cl_ffi_reader_line(struct cl_reader *r, struct cl_str *out);
int64_t cl_ffi_reader_position(const struct cl_reader *r); /* after the last line handed out */
void cl_ffi_reader_close(struct cl_reader *r);
void cl_ffi_reader_free(struct cl_reader *r);
struct cl_writer *cl_ffi_writer_open(const char *path); /* NULL: see cl_ffi_error */
/* One line: the text and '\n', buffered. */
int cl_ffi_writer_line(struct cl_writer *w, const char *s, uint32_t len);
/* A line for the value of each live record, handed to the system before it returns. */
int cl_ffi_writer_batch(struct cl_writer *w, struct cl_batch *batch);
int cl_ffi_writer_flush(struct cl_writer *w, int durable);
int cl_ffi_writer_close(struct cl_writer *w); /* writes out what is buffered */
void cl_ffi_writer_free(struct cl_writer *w);

/* net/: HTTP, behind connect.http. A transfer moves only inside these calls, each of which waits no longer
 * than it is told to. What Lua sees of one: */
enum cl_http_problem {
  CL_HTTP_NONE = 0,
  CL_HTTP_RESOLVE,
  CL_HTTP_CONNECT,
  CL_HTTP_TIMEOUT, /* while connecting: other deadlines are the caller's */
  CL_HTTP_BROKEN,  /* the connection ended too early */
  CL_HTTP_PROXY_FAILED,
  CL_HTTP_UNTRUSTED, /* the server's certificate */
  CL_HTTP_TLS_FILES, /* ours cannot be used */
  CL_HTTP_HEAD_TOO_LARGE,
  CL_HTTP_BODY_TOO_LARGE,
  CL_HTTP_NOT_HTTP, /* what came is no answer */
  CL_HTTP_NO_MEMORY,
  CL_HTTP_FAILED
};
struct cl_http_call {
  struct cl_str head; /* lines of the response's head, from its status line on */
  struct cl_str body; /* what has come of it and has not been taken */
  int32_t status;     /* 0 = no head yet */
  int32_t done;       /* all of the body has come, or the transfer has failed */
  int32_t problem;    /* enum cl_http_problem */
};
struct cl_http; /* connections, kept open for the next request; lives until its last transfer is dropped */
struct cl_http *cl_ffi_http_new(void); /* NULL: see cl_ffi_error, as with all of these */
void cl_ffi_http_free(struct cl_http *http);
struct cl_http_call *cl_ffi_http_call(struct cl_http *http);
void cl_ffi_http_drop(struct cl_http_call *call); /* at any time: breaks off what is under way */
/* Settings, copied; one that cannot be is told by start. Files are PEM, given as a path or as the text
 * itself. */
enum cl_http_text {
  CL_HTTP_URL = 0,
  CL_HTTP_METHOD,
  CL_HTTP_BODY,
  CL_HTTP_PROXY, /* as a URL; without one there is none */
  CL_HTTP_CA,
  CL_HTTP_CERT,
  CL_HTTP_KEY,
  CL_HTTP_KEY_PASSWORD
};
void cl_ffi_http_text(struct cl_http_call *call, int what, const char *s, uint32_t len);
enum cl_http_number {
  CL_HTTP_CONNECT_TIMEOUT = 0, /* ms */
  CL_HTTP_BODY_MAX,            /* bytes, as they are once decompressed */
  CL_HTTP_VERIFY,              /* 0 = whatever the server's certificate is */
  CL_HTTP_ENV_PROXY            /* 1 = the proxy that the environment names */
};
void cl_ffi_http_number(struct cl_http_call *call, int what, int64_t n);
void cl_ffi_http_header(struct cl_http_call *call, const char *name,
                        const char *value); /* value NULL = not sent */
int cl_ffi_http_start(struct cl_http_call *call);
/* Until there is something new to look at, or ms have passed: 1 = there is a head, 0 = not yet, negative = it
 * has failed and what came of its body is taken. */
int cl_ffi_http_wait(struct cl_http_call *call, int32_t ms);
void cl_ffi_http_take(struct cl_http_call *call, uint32_t n); /* bytes of body; more may come at once */
void cl_ffi_http_rest(int32_t ms);                            /* a pause, which a signal ends */

/* A URL's parts: zero before the first call, until cl_ffi_url_clear, which leaves nothing of them in memory. */
struct cl_url {
  struct cl_str url;            /* without user, password and fragment */
  struct cl_str origin;         /* "https://host:443" */
  struct cl_str user, password; /* decoded, "" = none */
};
/* text is relative to base, unless that is NULL. CL_EINVAL: no URL of http or https. */
int cl_ffi_url(const char *base, const char *text, struct cl_url *out);
void cl_ffi_url_clear(struct cl_url *parts);

/* vm/: what connect.crypto computes. Answers of digest, hmac and from_base64 are lengths. */
enum { CL_DIGEST_MAX = 64 };
int cl_ffi_digest(const char *name, const char *data, uint32_t len,
                  unsigned char *out); /* CL_DIGEST_MAX bytes */
int cl_ffi_hmac(const char *name, const char *key, uint32_t key_len, const char *data, uint32_t len,
                unsigned char *out);
int cl_ffi_random(unsigned char *out, uint32_t n);
int cl_ffi_equal(const char *a, const char *b, uint32_t n); /* 1 = equal; takes as long for every a and b */
void cl_ffi_to_base64(const char *data, uint32_t len, char *out); /* (len + 2) / 3 * 4 characters */
int64_t cl_ffi_from_base64(const char *text, uint32_t len, unsigned char *out); /* -1 = it is none */
/* RSA with PKCS #1 v1.5 padding. key: PEM text. out has *n bytes; how many were written. */
int cl_ffi_sign(const char *digest, const char *key, const char *password, const char *data, uint32_t len,
                unsigned char *out, uint32_t *n);
int cl_ffi_verify(const char *digest, const char *key, const char *data, uint32_t len,
                  const unsigned char *signature, uint32_t n); /* 1, 0, or negative: the key cannot be used */
