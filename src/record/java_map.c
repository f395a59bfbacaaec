/* SPDX-License-Identifier: Apache-2.0
 * A HashMap's order: buckets in turn, each in the order of insertion. A crowded bucket makes a
 * small table grow and becomes a red-black tree in a large one. Its nodes stay in a list, but what
 * the tree does moves some of them, so that such maps are played through put by put. */
#include "record/java_map.h"

#include "base/err.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
  CROWD = 8,       /* a bucket with more is a tree, */
  TREE_TABLE = 64, /* if the table has this capacity; a smaller one grows */
  THIN = 6         /* a tree left with that many by a growing table is a list again */
};

static inline uint32_t spread(int32_t hash) { return (uint32_t)hash ^ (uint32_t)hash >> 16; }

/* --------------------------------------------------------- crowded buckets */

enum { LEFT, RIGHT };

/* Nodes are named by numbers from 1; 0 = none, its node being scratch. */
struct node {
  int32_t hash; /* spread */
  uint32_t next, prev, parent, child[2];
  bool red, in_tree;
};

struct table {
  const struct cl_java_keys *keys;
  struct node *node;
  uint32_t *head, cap;
};

static void rotate(struct table *t, uint32_t *root, uint32_t p, int side) {
  struct node *n = t->node;
  uint32_t up = n[p].child[!side], over = n[p].parent, middle = n[up].child[side];
  n[p].child[!side] = middle;
  if (middle)
    n[middle].parent = p;
  n[up].parent = over;
  if (over)
    n[over].child[n[over].child[RIGHT] == p] = up;
  else
    *root = up;
  n[up].child[side] = p;
  n[p].parent = up;
}

static uint32_t balance(struct table *t, uint32_t root, uint32_t x) {
  struct node *n = t->node;
  n[x].red = true;
  while (n[x].parent && n[n[x].parent].red) { /* a red parent is not the root */
    uint32_t p = n[x].parent, pp = n[p].parent;
    int side = n[pp].child[RIGHT] == p;
    uint32_t uncle = n[pp].child[!side];
    n[pp].red = true;
    if (uncle && n[uncle].red) {
      n[p].red = n[uncle].red = false;
      x = pp;
      continue;
    }
    if (n[p].child[!side] == x) {
      rotate(t, &root, p, side);
      x = p;
      p = n[x].parent;
    }
    n[p].red = false;
    rotate(t, &root, pp, !side);
  }
  n[root].red = false;
  return root;
}

/* Keys that Java would tell apart by their addresses: as if those grew. */
static int side_of(const struct table *t, uint32_t x, uint32_t p) {
  const struct node *n = t->node;
  if (n[x].hash != n[p].hash)
    return n[x].hash > n[p].hash;
  int c = t->keys->compare(t->keys->arg, x - 1, p - 1);
  return c ? c > 0 : x > p;
}

/* Puts x into the tree; answers the new root. *parent is what it hung under before balancing. */
static uint32_t grow_tree(struct table *t, uint32_t root, uint32_t x, uint32_t *parent) {
  struct node *n = t->node;
  uint32_t p = 0;
  int side = LEFT;
  for (uint32_t at = root; at; at = n[p].child[side]) {
    p = at;
    side = side_of(t, x, p);
  }
  n[x].child[LEFT] = n[x].child[RIGHT] = 0;
  n[x].parent = *parent = p;
  n[x].in_tree = true;
  if (p)
    n[p].child[side] = x;
  return balance(t, p ? root : x, x);
}

static void move_to_front(struct table *t, uint32_t bucket, uint32_t root) {
  struct node *n = t->node;
  uint32_t first = t->head[bucket];
  if (first == root)
    return;
  n[n[root].prev].next = n[root].next;
  n[n[root].next].prev = n[root].prev;
  n[root].prev = 0;
  n[root].next = first;
  n[first].prev = root;
  t->head[bucket] = root;
}

static void make_tree(struct table *t, uint32_t bucket) {
  uint32_t root = 0, parent;
  for (uint32_t x = t->head[bucket]; x; x = t->node[x].next)
    root = grow_tree(t, root, x, &parent);
  move_to_front(t, bucket, root);
}

/* The bucket's nodes go to two, in their order; it was a tree: so is a half that stays large. */
static void split(struct table *t, uint32_t bucket) {
  struct node *n = t->node;
  uint32_t home[2] = {bucket, bucket + t->cap}, last[2] = {0, 0}, count[2] = {0, 0};
  uint32_t x = t->head[bucket], next;
  bool was_tree = n[x].in_tree;
  t->head[home[0]] = t->head[home[1]] = 0;
  for (; x; x = next) {
    int half = ((uint32_t)n[x].hash & t->cap) != 0;
    next = n[x].next;
    *(last[half] ? &n[last[half]].next : &t->head[home[half]]) = x;
    n[x].prev = last[half];
    n[x].next = 0;
    last[half] = x;
    count[half]++;
  }
  for (int half = 0; was_tree && half < 2; half++) {
    if (count[half] > THIN && count[!half])
      make_tree(t, home[half]);
    else if (count[half] <= THIN)
      for (x = t->head[home[half]]; x; x = n[x].next)
        n[x].in_tree = false;
  }
}

static void double_table(struct table *t) {
  for (uint32_t b = 0; b < t->cap; b++)
    split(t, b);
  t->cap *= 2;
}

static void put(struct table *t, uint32_t x) {
  struct node *n = t->node;
  uint32_t bucket = (uint32_t)n[x].hash & (t->cap - 1), first = t->head[bucket], at = first, root = first;
  uint32_t count = 1;
  if (!first) {
    t->head[bucket] = x;
    return;
  }
  if (n[first].in_tree) {
    root = grow_tree(t, root, x, &at);
  } else {
    for (; n[at].next; count++)
      at = n[at].next;
  }
  n[x].prev = at;
  n[x].next = n[at].next;
  n[n[x].next].prev = x;
  n[at].next = x;
  if (n[x].in_tree)
    move_to_front(t, bucket, root);
  else if (count >= CROWD && t->cap < TREE_TABLE)
    double_table(t);
  else if (count >= CROWD)
    make_tree(t, bucket);
}

static int order_crowded(const struct cl_java_keys *keys, uint32_t n, uint32_t cap, const uint32_t *hash,
                         uint32_t *order) {
  uint32_t most = cl_java_grown(cap, n);
  struct table t = {.keys = keys, .cap = cap};
  t.head = calloc(most < TREE_TABLE ? TREE_TABLE : most, sizeof(*t.head));
  t.node = calloc((size_t)n + 1, sizeof(*t.node));
  int rc = t.head && t.node ? 0 : CL_ENOMEM;
  for (uint32_t i = 0; i < n && rc == 0; i++) {
    t.node[i + 1].hash = (int32_t)hash[i];
    put(&t, i + 1);
    if (cl_java_grown(t.cap, i + 1) > t.cap)
      double_table(&t);
  }
  uint32_t at = 0;
  for (uint32_t b = 0; b < t.cap && rc == 0; b++)
    for (uint32_t x = t.head[b]; x; x = t.node[x].next)
      order[at++] = x - 1;
  free(t.head);
  free(t.node);
  return rc;
}

/* ------------------------------------------------------------- all the others */

/* Whether a bucket was crowded before the table had grown to its last capacity. */
static bool was_crowded(const uint32_t *hash, uint32_t cap, uint32_t last, uint32_t *count) {
  for (cap = cap > CROWD ? cap : 2 * CROWD; cap < last; cap *= 2) {
    memset(count, 0, cap * sizeof(*count));
    for (uint32_t i = 0; i <= cap / 4 * 3; i++) /* the last of them made it grow */
      if (++count[hash[i] & (cap - 1)] > CROWD)
        return true;
  }
  return false;
}

int cl_java_order(const struct cl_java_keys *keys, uint32_t n, uint32_t cap, uint32_t *order,
                  uint32_t *room) {
  uint32_t last = cl_java_grown(cap, n);
  uint32_t *hash = room, *next = room + n, *head = next + n; /* both count from 1; 0 ends a chain */
  for (uint32_t i = 0; i < n; i++)
    hash[i] = spread(keys->hash(keys->arg, i));
  if (was_crowded(hash, cap, last, head))
    return order_crowded(keys, n, cap, hash, order);
  memset(head, 0, last * sizeof(*head));
  for (uint32_t i = n; i-- > 0;) { /* backwards, so that chains run in insertion order */
    uint32_t *first = &head[hash[i] & (last - 1)];
    next[i] = *first;
    *first = i + 1;
  }
  uint32_t at = 0;
  for (uint32_t b = 0; b < last; b++) {
    uint32_t from = at;
    for (uint32_t i = head[b]; i; i = next[i - 1])
      order[at++] = i - 1;
    if (at - from > CROWD)
      return order_crowded(keys, n, cap, hash, order);
  }
  return 0;
}
