/* SPDX-License-Identifier: BSD-3-Clause */
/* The communicator on any number of ranks: a failure on one of them reaches all, with its story; texts, sums
 * and items arrive whole. */
#include "parallel/mpi_main.h"

#include <string.h>

#include "base/memory.h"
#include "comm/exchange.h"
#include "comm/gather.h"
#include "comm/groups.h"
#include "comm/scatter.h"

static size_t rank_of(const ls_comm *comm)
{
  return (size_t)ls_comm_rank(comm);
}

static size_t size_of(const ls_comm *comm)
{
  return (size_t)ls_comm_size(comm);
}

static void agreement_on_success_is_success(void **state)
{
  for (int i = 0; i < 100; i++) assert_int_equal(ls_comm_agree(*state, LS_OK), LS_OK);
}

static void a_failure_on_any_rank_reaches_all(void **state)
{
  ls_comm *comm = *state;
  for (int failing = 0; failing < ls_comm_size(comm); failing++) {
    ls_status status = LS_OK;
    if (ls_comm_rank(comm) == failing)
      status = ls_wrap(ls_fail(LS_E_INPUT, "label %d of 'x' is wrong", 40 + failing), "reading a shard");
    assert_int_equal(ls_comm_agree(comm, status), LS_E_INPUT);
    char expected[64];
    snprintf(expected, sizeof expected, "reading a shard: label %d of 'x' is wrong", 40 + failing);
    assert_string_equal(ls_error_last()->text, expected);
    assert_int_equal(ls_error_last()->status, LS_E_INPUT);
    assert_int_equal(ls_error_last()->rank, ls_comm_size(comm) == 1 ? -1 : failing);
  }
}

static void the_lowest_failing_rank_is_heard(void **state)
{
  ls_comm *comm = *state;
  const int size = ls_comm_size(comm), rank = ls_comm_rank(comm);
  const int lowest = size / 2;
  ls_status status = LS_OK;
  if (rank >= lowest) status = ls_fail(rank == lowest ? LS_E_MEMORY : LS_E_IO, "trouble on rank %d", rank);
  assert_int_equal(ls_comm_agree(comm, status), LS_E_MEMORY);
  char expected[64];
  snprintf(expected, sizeof expected, "trouble on rank %d", lowest);
  assert_string_equal(ls_error_last()->text, expected);
  assert_int_equal(ls_error_last()->rank, size == 1 ? -1 : lowest);
}

static void a_failure_common_to_all_blames_no_rank(void **state)
{
  assert_int_equal(ls_comm_agree(*state, ls_fail(LS_E_CONFIG, "train.batch: %d is too few", 0)), LS_E_CONFIG);
  assert_int_equal(ls_error_last()->rank, -1);
  assert_string_equal(ls_error_last()->text, "train.batch: 0 is too few");
}

/* The same text with another code is another failure. */
static void the_code_counts_too(void **state)
{
  ls_comm *comm = *state;
  const int size = ls_comm_size(comm);
  const ls_status mine = ls_comm_rank(comm) == 0 ? LS_E_IO : LS_E_INPUT;
  assert_int_equal(ls_comm_agree(comm, ls_fail(mine, "no")), LS_E_IO);
  assert_int_equal(ls_error_last()->rank, size == 1 ? -1 : 0);
}

static void a_second_agreement_keeps_the_first_ones_rank(void **state)
{
  ls_comm *comm = *state;
  const int last = ls_comm_size(comm) - 1;
  ls_status status = ls_comm_rank(comm) == last ? ls_fail(LS_E_IO, "disk full") : LS_OK;
  status = ls_comm_agree(comm, status);
  status = ls_comm_agree(comm, ls_wrap(status, "writing"));
  assert_int_equal(status, LS_E_IO);
  assert_string_equal(ls_error_last()->text, "writing: disk full");
  assert_int_equal(ls_error_last()->rank, last == 0 ? -1 : last);
}

/* After a failure of MPI itself there is no agreement, and no rank waits for another. */
static void a_communication_error_is_returned_at_once(void **state)
{
  ls_comm *comm = *state;
  if (ls_comm_rank(comm) == 0)
    assert_int_equal(ls_comm_agree(comm, ls_fail(LS_E_COMM, "cut off")), LS_E_COMM);
  assert_int_equal(ls_comm_agree(comm, LS_OK), LS_OK);
}

static ls_status use_macros(ls_comm *comm, int *called)
{
  LS_AGREE(comm, LS_OK);
  LS_ROOT(comm, (++*called, LS_OK));
  LS_ROOT(comm, ls_fail(LS_E_IO, "rank 0 cannot write"));
  *called += 100;
  return LS_OK;
}

static void a_root_call_runs_on_rank_0_alone_and_binds_all(void **state)
{
  ls_comm *comm = *state;
  int called = 0;
  assert_int_equal(use_macros(comm, &called), LS_E_IO);
  assert_int_equal(called, ls_comm_rank(comm) == 0);
  assert_string_equal(ls_error_last()->text, "rank 0 cannot write");
}

static void bytes_are_broadcast(void **state)
{
  ls_comm *comm = *state;
  enum { COUNT = 100003 };
  unsigned char *data;
  assert_ok(ls_alloc(&data, COUNT, 1, "data"));
  for (size_t i = 0; ls_comm_rank(comm) == 0 && i < COUNT; i++) data[i] = (unsigned char)(i * 7);
  assert_ok(ls_comm_broadcast(comm, data, COUNT - 1));
  for (size_t i = 0; i < COUNT - 1; i++) assert_int_equal(data[i], (unsigned char)(i * 7));
  assert_ok(ls_comm_broadcast(comm, NULL, 0));
  free(data);
}

static void texts_are_broadcast(void **state)
{
  ls_comm *comm = *state;
  static const size_t lengths[] = {0, 1, 77, 70000};
  for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
    char *text = NULL;
    if (ls_comm_rank(comm) == 0) {
      assert_ok(ls_alloc(&text, lengths[i] + 1, 1, "a text"));
      memset(text, 'x', lengths[i]);
    }
    const char *before = text;
    assert_ok(ls_comm_broadcast_text(comm, &text));
    assert_non_null(text);
    assert_int_equal(strlen(text), lengths[i]);
    assert_int_equal(strspn(text, "x"), lengths[i]);
    if (ls_comm_rank(comm) == 0) assert_ptr_equal(text, before);
    free(text);
  }
}

static void sums_are_exact_where_the_values_are(void **state)
{
  ls_comm *comm = *state;
  const size_t size = size_of(comm), rank = rank_of(comm);
  float f32[5];
  double f64[5];
  uint64_t u64[5];
  for (size_t i = 0; i < 5; i++) {
    f32[i] = (float)(rank + i);
    f64[i] = (double)(rank * i) + 0.5;
    u64[i] = (UINT64_C(1) << 60) + rank;
  }
  assert_ok(ls_comm_sum_f32(comm, f32, 5));
  assert_ok(ls_comm_sum_f64(comm, f64, 4));
  assert_ok(ls_comm_sum_u64(comm, u64, 5));
  const size_t ranks_sum = size * (size - 1) / 2;
  for (size_t i = 0; i < 5; i++) {
    assert_true(f32[i] == (float)(ranks_sum + size * i));
    assert_true(u64[i] == (UINT64_C(1) << 60) * size + ranks_sum);
  }
  for (size_t i = 0; i < 4; i++) assert_true(f64[i] == (double)(ranks_sum * i) + 0.5 * (double)size);
  assert_true(f64[4] == (double)(rank * 4) + 0.5); /* beyond the count: untouched */
}

static void the_least_of_all_ranks_is_found(void **state)
{
  ls_comm *comm = *state;
  const double size = (double)size_of(comm), rank = (double)rank_of(comm);
  double values[3] = {rank, -rank, 10.0 - rank};
  assert_ok(ls_comm_min_f64(comm, values, 2));
  assert_all(comm, values[0] == 0.0 && values[1] == 1.0 - size);
  assert_all(comm, values[2] == 10.0 - rank); /* beyond the count: untouched */
}

/* Sums that round: whatever their last bits are, they are the same on all ranks. */
static void sums_have_the_same_bits_everywhere(void **state)
{
  ls_comm *comm = *state;
  static const size_t counts[] = {1, 3, 1000, 60000, 300001};
  for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
    const size_t count = counts[c];
    float *values, *those_of_0;
    assert_ok(ls_alloc(&values, count, sizeof *values, "values"));
    assert_ok(ls_alloc(&those_of_0, count, sizeof *values, "values"));
    for (size_t i = 0; i < count; i++)
      values[i] = 1.0f / (float)(1 + i % 977 + 31 * rank_of(comm)) * (rank_of(comm) % 2 ? -1e3f : 1.0f);
    assert_ok(ls_comm_sum_f32(comm, values, count));
    memcpy(those_of_0, values, count * sizeof *values);
    assert_ok(ls_comm_broadcast(comm, those_of_0, count * sizeof *values));
    assert_all(comm, memcmp(values, those_of_0, count * sizeof *values) == 0);
    free(values);
    free(those_of_0);
  }
}

typedef struct record {
  uint32_t rank;
  char text[9];
} record;

static void records_are_gathered_in_rank_order(void **state)
{
  ls_comm *comm = *state;
  record mine = {.rank = (uint32_t)rank_of(comm)}, *all = NULL;
  snprintf(mine.text, sizeof mine.text, "rank %u", mine.rank % 100);
  if (mine.rank == 0) assert_ok(ls_alloc(&all, size_of(comm) + 1, sizeof *all, "records"));
  assert_ok(ls_comm_gather(comm, &mine, sizeof mine, all));
  for (size_t r = 0; mine.rank == 0 && r < size_of(comm); r++) {
    char expected[32];
    snprintf(expected, sizeof expected, "rank %zu", r);
    assert_int_equal(all[r].rank, r);
    assert_string_equal(all[r].text, expected);
  }
  if (mine.rank == 0) assert_int_equal(all[size_of(comm)].rank, 0); /* nothing is written behind the end */
  free(all);
}

/* An exchange in which rank s sends pattern(s, r) items to rank r; item k says where it comes from. */
enum { ITEM_BYTES = 13 };

typedef struct traffic {
  unsigned char *send, *receive;
  size_t *send_counts, *receive_counts;
  int *send_index, *receive_index;
  size_t sent, received;
} traffic;

typedef size_t pattern(size_t from, size_t to);

static size_t uneven(size_t from, size_t to)
{
  return from == to ? 0 : (from * 5 + to * 3) % 4;
}

static size_t from_rank_0_alone(size_t from, size_t to)
{
  return from == 0 && to > 0 ? to + 1 : 0;
}

static size_t to_the_next_alone(size_t from, size_t to)
{
  return to == from + 1 ? 1000 : 0;
}

static size_t nothing(size_t from, size_t to)
{
  return 0 * from * to;
}

static void write_item(unsigned char *item, size_t from, size_t to, size_t k)
{
  memset(item, 0, ITEM_BYTES);
  item[0] = (unsigned char)from;
  item[1] = (unsigned char)to;
  item[2] = (unsigned char)(k % 251);
  item[ITEM_BYTES - 1] = (unsigned char)(from * 16 + to + k);
}

/* Items lie backwards in both buffers, with one unused item before and behind them, so that the index counts.
 */
static traffic make_traffic(const ls_comm *comm, pattern *count_of)
{
  const size_t size = size_of(comm), rank = rank_of(comm);
  traffic t = {.sent = 0};
  assert_ok(ls_alloc(&t.send_counts, size, sizeof(size_t), "counts"));
  assert_ok(ls_alloc(&t.receive_counts, size, sizeof(size_t), "counts"));
  for (size_t r = 0; r < size; r++) {
    t.sent += t.send_counts[r] = count_of(rank, r);
    t.received += t.receive_counts[r] = count_of(r, rank);
  }
  assert_ok(ls_alloc(&t.send, t.sent + 2, ITEM_BYTES, "items"));
  assert_ok(ls_alloc(&t.receive, t.received + 2, ITEM_BYTES, "items"));
  assert_ok(ls_alloc(&t.send_index, t.sent, sizeof(int), "index"));
  assert_ok(ls_alloc(&t.receive_index, t.received, sizeof(int), "index"));
  for (size_t i = 0; i < t.sent; i++) t.send_index[i] = (int)(t.sent - i);
  for (size_t i = 0; i < t.received; i++) t.receive_index[i] = (int)(t.received - i);
  for (size_t r = 0, i = 0; r < size; r++)
    for (size_t k = 0; k < t.send_counts[r]; k++, i++)
      write_item(t.send + (size_t)t.send_index[i] * ITEM_BYTES, rank, r, k);
  return t;
}

static void start_traffic(ls_exchange **exchange, ls_comm *comm, const traffic *t)
{
  ls_exchange_send send = {.items = t->send, .counts = t->send_counts, .index = t->send_index};
  ls_exchange_receive receive = {.items = t->receive, .counts = t->receive_counts, .index = t->receive_index};
  assert_ok(ls_exchange_start(exchange, comm, ITEM_BYTES, &send, &receive));
}

static void check_traffic(const ls_comm *comm, const traffic *t)
{
  static const unsigned char untouched[ITEM_BYTES];
  unsigned char expected[ITEM_BYTES];
  assert_memory_equal(t->receive, untouched, ITEM_BYTES);
  assert_memory_equal(t->receive + (t->received + 1) * ITEM_BYTES, untouched, ITEM_BYTES);
  for (size_t r = 0, i = 0; r < size_of(comm); r++)
    for (size_t k = 0; k < t->receive_counts[r]; k++, i++) {
      write_item(expected, r, rank_of(comm), k);
      assert_memory_equal(t->receive + (size_t)t->receive_index[i] * ITEM_BYTES, expected, ITEM_BYTES);
    }
}

static void free_traffic(traffic *t)
{
  free(t->send);
  free(t->receive);
  free(t->send_counts);
  free(t->receive_counts);
  free(t->send_index);
  free(t->receive_index);
}

static pattern *const patterns[] = {uneven, from_rank_0_alone, to_the_next_alone, nothing};
enum { PATTERNS = sizeof patterns / sizeof patterns[0] };

static void items_reach_their_indices(void **state)
{
  for (size_t p = 0; p < PATTERNS; p++) {
    traffic t = make_traffic(*state, patterns[p]);
    ls_exchange *exchange;
    start_traffic(&exchange, *state, &t);
    assert_ok(ls_exchange_wait(exchange));
    check_traffic(*state, &t);
    free_traffic(&t);
  }
  assert_ok(ls_exchange_wait(NULL));
}

/* As in training: two exchanges run while sums are taken, and the ranks poke them at their own pace. */
static void exchanges_run_beside_other_collectives(void **state)
{
  ls_comm *comm = *state;
  for (size_t round = 0; round < 10; round++) {
    traffic a = make_traffic(comm, uneven), b = make_traffic(comm, to_the_next_alone);
    ls_exchange *first, *second;
    start_traffic(&first, comm, &a);
    start_traffic(&second, comm, &b);
    for (size_t step = 0; step < 20; step++) {
      uint64_t one = 1;
      for (size_t i = 0; i < rank_of(comm) % 3; i++) assert_ok(ls_exchange_advance(first));
      assert_ok(ls_exchange_advance(second));
      assert_ok(ls_comm_sum_u64(comm, &one, 1));
      assert_true(one == size_of(comm));
    }
    assert_ok(ls_exchange_wait(first));
    assert_ok(ls_exchange_wait(second));
    check_traffic(comm, &a);
    check_traffic(comm, &b);
    free_traffic(&a);
    free_traffic(&b);
  }
}

enum { ROW_BYTES = 300000 }; /* three in a message */

/* Rows by their numbers, up to a limit. */
typedef struct row_maker {
  size_t next, limit; /* row that comes next; first that cannot be made */
} row_maker;

static ls_status make_numbered(void *user, size_t first, size_t count, void *rows)
{
  row_maker *self = user;
  assert_true(first >= self->next); /* in their order: none is made twice */
  self->next = first + count;
  if (self->next > self->limit) return ls_fail(LS_E_IO, "row %zu cannot be made", self->limit);
  for (size_t i = 0; i < count; i++)
    memset((unsigned char *)rows + i * ROW_BYTES, (int)(first + i), ROW_BYTES);
  return LS_OK;
}

/* Rank r gets r % 3 * 4 rows, and between those of two ranks one is left out. */
static ls_row_range rows_of(size_t rank)
{
  ls_row_range range = {.first = 0};
  for (size_t r = 0; r < rank; r++) range.first += r % 3 * 4 + 1;
  range.count = rank % 3 * 4;
  return range;
}

static ls_status scatter_numbered(ls_comm *comm, size_t limit, unsigned char **out)
{
  ls_row_range range = rows_of(rank_of(comm));
  row_maker maker = {.limit = limit};
  assert_ok(ls_alloc(out, range.count, ROW_BYTES, "rows"));
  range.rows = *out;
  return ls_comm_scatter_rows(comm, &range, ROW_BYTES, make_numbered, &maker);
}

static void rows_of_rank_0_reach_their_ranks(void **state)
{
  ls_comm *comm = *state;
  const ls_row_range range = rows_of(rank_of(comm));
  unsigned char *rows;
  assert_ok(scatter_numbered(comm, SIZE_MAX, &rows));
  for (size_t i = 0; i < range.count; i++)
    for (size_t b = 0; b < ROW_BYTES; b += 999) assert_int_equal(rows[i * ROW_BYTES + b], range.first + i);
  free(rows);
}

static void a_row_that_cannot_be_made_stops_all(void **state)
{
  ls_comm *comm = *state;
  const ls_row_range last = rows_of(size_of(comm));
  for (size_t limit = 0; limit + 1 < last.first; limit++) {
    unsigned char *rows;
    const ls_status status = scatter_numbered(comm, limit, &rows);
    free(rows);
    bool is_asked = false;
    for (size_t r = 0; r < size_of(comm); r++) {
      const ls_row_range range = rows_of(r);
      is_asked = is_asked || (range.count > 0 && range.first + range.count > limit);
    }
    assert_int_equal(status, is_asked ? LS_E_IO : LS_OK);
    if (is_asked) assert_non_null(strstr(ls_error_last()->text, "cannot be made"));
  }
}

static void a_text_that_is_not_rank_0s_is_told_by_its_line(void **state)
{
  ls_comm *comm = *state;
  const int last = ls_comm_size(comm) - 1;
  assert_ok(ls_comm_same(comm, "", "the settings are", LS_E_USAGE));
  assert_ok(ls_comm_same(comm, "a: 1\nb: 2\n", "the settings are", LS_E_USAGE));
  if (last == 0) return;
  const bool differs = ls_comm_rank(comm) == last;
  const struct {
    const char *text, *expected;
  } cases[] = {{"a: 1\n  b: 23\n", "'b: 23' instead of 'b: 2'"},
               {"a: 1\n", "nothing instead of 'b: 2'"},
               {"a: 1\n  b: 2\nc: 3\n", "'c: 3' instead of nothing"},
               {"", "nothing instead of 'a: 1'"}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const char *mine = differs ? cases[i].text : "a: 1\n  b: 2\n";
    assert_int_equal(ls_comm_same(comm, mine, "the settings are", LS_E_CONFIG), LS_E_CONFIG);
    assert_int_equal(ls_error_last()->rank, last);
    assert_non_null(strstr(ls_error_last()->text, "the settings are not rank 0's: "));
    assert_non_null(strstr(ls_error_last()->text, cases[i].expected));
  }
}

/* The first ranks sum over themselves, while the others rest until they have done so. */
static void the_first_ranks_work_while_the_others_rest(void **state)
{
  ls_comm *comm = *state;
  const size_t size = (size_t)ls_comm_size(comm), rank = (size_t)ls_comm_rank(comm);
  for (size_t count = 1; count <= size; count++) {
    ls_comm *first;
    size_t hosts;
    uint64_t sum = 1;
    assert_ok(ls_comm_first(&first, comm, count, &hosts));
    assert_int_equal(hosts, 1);
    assert_all(comm, (first != NULL) == (rank < count)); /* the ranks of one host, in their order */
    if (first) {
      assert_int_equal(ls_comm_size(first), count);
      assert_int_equal(ls_comm_rank(first), rank);
      assert_ok(ls_comm_sum_u64(first, &sum, 1));
      assert_int_equal(sum, count);
    }
    ls_comm_close(first);
    assert_ok(ls_comm_rest(comm));
  }
}

/* A row: its number over all ranks, and what is to travel with it. */
typedef struct row {
  uint64_t number;
  unsigned char rest[992];
} row;

/* How many rows have come, in whose order each stands where it belongs. */
static void take_row(void *user, size_t first, const void *rows, size_t count)
{
  const row *items = rows;
  uint64_t *taken = user;
  for (size_t i = 0; i < count; i++) {
    assert_int_equal(items[i].number, first + i);
    assert_int_equal(items[i].rest[991], (first + i) % 251);
    taken[first + i]++;
  }
}

/* Rows of all ranks reach rank 0 once each: none, one, or so many that they go in several rounds. */
static void rows_are_gathered_in_portions(void **state)
{
  enum { MOST = 3000 };
  static const size_t counts[][3] = {{0, 0, 0}, {0, 5, 1}, {MOST, 0, 7}, {1, MOST, 0}, {2, 0, MOST}};
  ls_comm *comm = *state;
  const size_t size = (size_t)ls_comm_size(comm), rank = (size_t)ls_comm_rank(comm);
  row *rows;
  uint64_t *taken;
  assert_ok(ls_alloc(&rows, MOST, sizeof *rows, "rows"));
  for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
    size_t all = 0, before = 0;
    for (size_t r = 0; r < size; r++) all += counts[c][r % 3];
    for (size_t r = 0; r < rank; r++) before += counts[c][r % 3];
    const size_t mine = counts[c][rank % 3];
    for (size_t i = 0; i < mine; i++) {
      rows[i].number = before + i;
      rows[i].rest[991] = (unsigned char)((before + i) % 251);
    }
    assert_ok(ls_alloc(&taken, all + 1, sizeof *taken, "counts"));
    assert_ok(ls_comm_gather_rows(comm, rows, mine, sizeof *rows, take_row, taken));
    for (size_t i = 0; i < all; i++) assert_int_equal(taken[i], rank == 0 ? 1 : 0);
    free(taken);
  }
  free(rows);
}

static void the_library_has_a_name_on_one_line(void **state)
{
  (void)state;
  assert_true(strlen(ls_comm_library()) > 3);
  assert_null(strpbrk(ls_comm_library(), "\n\t,"));
}

static int run(ls_comm *comm)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_prestate(agreement_on_success_is_success, comm),
      cmocka_unit_test_prestate(a_failure_on_any_rank_reaches_all, comm),
      cmocka_unit_test_prestate(the_lowest_failing_rank_is_heard, comm),
      cmocka_unit_test_prestate(a_failure_common_to_all_blames_no_rank, comm),
      cmocka_unit_test_prestate(the_code_counts_too, comm),
      cmocka_unit_test_prestate(a_second_agreement_keeps_the_first_ones_rank, comm),
      cmocka_unit_test_prestate(a_communication_error_is_returned_at_once, comm),
      cmocka_unit_test_prestate(a_root_call_runs_on_rank_0_alone_and_binds_all, comm),
      cmocka_unit_test_prestate(bytes_are_broadcast, comm),
      cmocka_unit_test_prestate(texts_are_broadcast, comm),
      cmocka_unit_test_prestate(sums_are_exact_where_the_values_are, comm),
      cmocka_unit_test_prestate(the_least_of_all_ranks_is_found, comm),
      cmocka_unit_test_prestate(sums_have_the_same_bits_everywhere, comm),
      cmocka_unit_test_prestate(records_are_gathered_in_rank_order, comm),
      cmocka_unit_test_prestate(rows_are_gathered_in_portions, comm),
      cmocka_unit_test_prestate(items_reach_their_indices, comm),
      cmocka_unit_test_prestate(exchanges_run_beside_other_collectives, comm),
      cmocka_unit_test_prestate(rows_of_rank_0_reach_their_ranks, comm),
      cmocka_unit_test_prestate(a_row_that_cannot_be_made_stops_all, comm),
      cmocka_unit_test_prestate(a_text_that_is_not_rank_0s_is_told_by_its_line, comm),
      cmocka_unit_test_prestate(the_first_ranks_work_while_the_others_rest, comm),
      cmocka_unit_test_prestate(the_library_has_a_name_on_one_line, comm),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(int argc, char **argv)
{
  return mpi_main(argc, argv, run);
}
