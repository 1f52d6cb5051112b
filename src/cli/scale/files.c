/* SPDX-License-Identifier: BSD-3-Clause */
/* Files of a scaling study. Every table is described once, and goes to HDF5 and CSV alike. */
#include <math.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/files/directory.h"
#include "base/files/temporary.h"
#include "base/memory.h"
#include "cli/scale/report.h"
#include "store/scaling_file.h"

extern char **environ;

enum { MOST_TABLES = 8 };

/* Tables that are being filled. */
typedef struct tables {
  ls_table list[MOST_TABLES];
  double *values[MOST_TABLES]; /* owned */
  size_t count;
} tables;

/* ---- tables ---- */

static const char *const measured_columns[] = {
    "ranks",     "hosts",       "threads", "batch",     "steps",     "samples_per_second",
    "speedup",   "efficiency",  "step_s",  "slowest_s", "fastest_s", "compute_s",
    "waiting_s", "allreduce_s", "update_s"};
static const char *const predicted_columns[] = {
    "ranks", "hosts",  "threads",   "batch",     "samples_per_second", "efficiency", "step_s",
    "low_s", "high_s", "compute_s", "waiting_s", "allreduce_s",        "update_s"};
static const char *const sum_columns[] = {"ranks",   "hosts",     "threads",  "elements",
                                          "seconds", "slowest_s", "fastest_s"};
static const char *const rank_columns[] = {"rank", "compute_s", "waited_s", "reduction_s", "update_s"};
static const char *const model_columns[] = {
    "threads", "step_s",         "sample_s",      "update_s",   "noise_s",
    "spread",  "sum_s",          "sum_element_s", "sum_rank_s", "sum_rank_element_s",
    "host_s",  "host_element_s", "offset_s",      "single",     "misfit"};

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* Allocate a table. */
static ls_status start_table(tables *all, const char *name, const char *const *columns, size_t column_count,
                             size_t most_rows)
{
  double **values = &all->values[all->count];
  LS_PASS(ls_alloc(values, most_rows * column_count, sizeof **values, "a table"));
  all->list[all->count++] =
      (ls_table){.name = name, .columns = columns, .column_count = column_count, .values = *values};
  return LS_OK;
}

/* A row of the table that was started last. */
static void add_row(tables *all, const double *row)
{
  ls_table *table = &all->list[all->count - 1];
  memcpy(all->values[all->count - 1] + table->row_count++ * table->column_count, row,
         table->column_count * sizeof *row);
}

static double extreme(const double windows[LS_SCALE_WINDOWS], double (*choose)(double, double))
{
  double best = windows[0];
  for (size_t w = 1; w < LS_SCALE_WINDOWS; w++) best = choose(best, windows[w]);
  return best;
}

static void add_point(tables *all, const ls_scale_data *data, const ls_scale_point *point)
{
  const double *steps = point->seconds[LS_SCALE_STEP];
  const double step_s = ls_scale_median(steps), speedup = ls_scale_speedup(data, point);
  const double row[COUNT(measured_columns)] = {(double)point->ranks,
                                               (double)point->hosts,
                                               (double)point->threads,
                                               (double)point->batch,
                                               (double)point->steps,
                                               (double)point->batch / step_s,
                                               speedup,
                                               speedup / (double)point->ranks,
                                               step_s,
                                               extreme(steps, fmax),
                                               extreme(steps, fmin),
                                               ls_scale_median(point->seconds[LS_SCALE_COMPUTE]),
                                               ls_scale_median(point->seconds[LS_SCALE_WAITING]),
                                               ls_scale_median(point->seconds[LS_SCALE_ALLREDUCE]),
                                               ls_scale_median(point->seconds[LS_SCALE_UPDATE])};
  add_row(all, row);
}

static ls_status add_measured(tables *all, const ls_scale_report *report, ls_scale_mode mode)
{
  const ls_scale_data *data = report->data;
  LS_PASS(start_table(all, ls_scale_mode_words[mode], measured_columns, COUNT(measured_columns),
                      data->point_count));
  for (size_t i = 0; i < data->point_count; i++)
    if (data->points[i].mode == mode) add_point(all, data, &data->points[i]);
  return LS_OK;
}

static ls_status add_predicted(tables *all, const ls_scale_report *report, ls_scale_mode mode)
{
  static const char *const names[LS_SCALE_MODES] = {"strong_predicted", "weak_predicted"};
  const size_t threads = report->options->thread_count;
  size_t certain = 0; /* models */
  for (size_t t = 0; t < threads; t++) certain += !ls_scale_is_doubtful(&report->models[t]);
  if (certain == 0) return LS_OK;
  LS_PASS(start_table(all, names[mode], predicted_columns, COUNT(predicted_columns),
                      certain * LS_SCALE_PREDICTIONS));
  for (size_t i = 0; i < threads * LS_SCALE_PREDICTIONS; i++) {
    if (ls_scale_is_doubtful(&report->models[i / LS_SCALE_PREDICTIONS])) continue;
    const ls_scale_prediction *p =
        &report->predictions[i / LS_SCALE_PREDICTIONS][mode][i % LS_SCALE_PREDICTIONS];
    const double *parts = p->times.parts;
    const double row[COUNT(predicted_columns)] = {(double)p->ranks,
                                                  (double)p->hosts,
                                                  (double)p->threads,
                                                  (double)p->batch,
                                                  (double)p->batch / parts[LS_SCALE_STEP],
                                                  p->efficiency,
                                                  parts[LS_SCALE_STEP],
                                                  p->low_s,
                                                  p->high_s,
                                                  parts[LS_SCALE_COMPUTE],
                                                  parts[LS_SCALE_WAITING],
                                                  parts[LS_SCALE_ALLREDUCE],
                                                  parts[LS_SCALE_UPDATE]};
    add_row(all, row);
  }
  return LS_OK;
}

static ls_status add_sums(tables *all, const ls_scale_data *data)
{
  LS_PASS(start_table(all, "sums", sum_columns, COUNT(sum_columns), data->sum_count));
  for (size_t i = 0; i < data->sum_count; i++) {
    const ls_scale_sum *sum = &data->sums[i];
    const double row[COUNT(sum_columns)] = {(double)sum->ranks,
                                            (double)sum->hosts,
                                            (double)sum->threads,
                                            (double)sum->elements,
                                            ls_scale_median(sum->seconds),
                                            extreme(sum->seconds, fmax),
                                            extreme(sum->seconds, fmin)};
    add_row(all, row);
  }
  return LS_OK;
}

/* Means of a step, of the largest measurement. */
static ls_status add_ranks(tables *all, const ls_balance *balance)
{
  LS_PASS(start_table(all, "ranks", rank_columns, COUNT(rank_columns), balance->ranks));
  for (size_t r = 0; r < balance->ranks; r++) {
    const ls_step_times *times = &balance->loads[r].times;
    const double steps = (double)balance->steps;
    const double row[COUNT(rank_columns)] = {(double)r, times->compute_s / steps,
                                             ls_balance_waited_s(balance, r) / steps,
                                             times->reduction_s / steps, times->update_s / steps};
    add_row(all, row);
  }
  return LS_OK;
}

static ls_status add_models(tables *all, const ls_scale_report *report)
{
  LS_PASS(start_table(all, "model", model_columns, COUNT(model_columns), report->options->thread_count));
  for (size_t t = 0; t < report->options->thread_count; t++) {
    const ls_scale_model *m = &report->models[t];
    const double row[COUNT(model_columns)] = {(double)m->threads, m->step_s,   m->sample_s, m->update_s,
                                              m->noise_s,         m->spread,   m->sum_s[0], m->sum_s[1],
                                              m->sum_s[2],        m->sum_s[3], m->sum_s[4], m->sum_s[5],
                                              m->offset_s,        m->single,   m->misfit};
    add_row(all, row);
  }
  return LS_OK;
}

static ls_status fill_tables(tables *all, const ls_scale_report *report)
{
  for (size_t m = 0; m < LS_SCALE_MODES; m++) {
    if (!report->options->modes[m]) continue;
    LS_PASS(add_measured(all, report, (ls_scale_mode)m));
    LS_PASS(add_predicted(all, report, (ls_scale_mode)m));
  }
  LS_PASS(add_sums(all, report->data));
  LS_PASS(add_ranks(all, &report->data->balance));
  return add_models(all, report);
}

/* ---- the figure ---- */

static const char figure_head[] = "# gnuplot scaling.gp draws scaling.svg from the tables beside it.\n"
                                  "set terminal svg size 1000,420 font 'sans,12'\n"
                                  "figure = exists('ARG1') ? ARG1 : 'scaling.svg'\n"
                                  "set output figure\n"
                                  "set datafile separator ','\n"
                                  "set logscale x 2\n"
                                  "set xlabel 'ranks'\n"
                                  "set grid\n"
                                  "set multiplot layout 1,2\n";

static const char figure_rates[] = "set logscale y\nset ylabel 'samples/s'\nset key top left\nplot \\\n";
static const char figure_efficiency[] =
    "unset logscale y\nset ylabel 'efficiency'\nset yrange [0:1.25]\nset key top right\nplot 0.8 "
    "with lines dashtype 2 linecolor 'gray' title '80 %', \\\n";

/* A model's predictions with error bars: of rates, and of efficiencies without. */
static void add_predicted_curve(const char *word, size_t threads, bool rates, const char *color,
                                ls_text *text)
{
  if (rates)
    ls_text_add(text,
                "  '%s_predicted.csv' using (column('threads')==%zu?column('ranks'):NaN):"
                "(column('batch')/column('high_s')):(column('batch')/column('low_s')) with filledcurves "
                "fillcolor '%s' fillstyle transparent solid 0.15 notitle, \\\n",
                word, threads, color);
  ls_text_add(text,
              "  '%s_predicted.csv' using (column('threads')==%zu?column('ranks'):NaN):(column('%s')) with "
              "lines linecolor '%s' title '%s, predicted', \\\n",
              word, threads, rates ? "samples_per_second" : "efficiency", color, word);
}

static void add_curves(const ls_scale_report *report, bool rates, ls_text *text)
{
  static const char *const colors[LS_SCALE_MODES] = {"#b02018", "#2050a0"};
  const ls_scale_model *model = &report->models[report->best];
  const char *between = "";
  for (size_t m = 0; m < LS_SCALE_MODES; m++) {
    const char *word = ls_scale_mode_words[m];
    if (!report->options->modes[m]) continue;
    ls_text_add(text, "%s", between);
    between = ", \\\n";
    if (!ls_scale_is_doubtful(model)) add_predicted_curve(word, model->threads, rates, colors[m], text);
    ls_text_add(text,
                "  '%s.csv' using (column('threads')==%zu?column('ranks'):NaN):(column('%s')) with points "
                "pointtype 7 linecolor '%s' title '%s, measured'",
                word, model->threads, rates ? "samples_per_second" : "efficiency", colors[m], word);
  }
  ls_text_add(text, "\n");
}

static void add_figure(const ls_scale_report *report, ls_text *text)
{
  ls_text_add(text, "%s%s", figure_head, figure_rates);
  add_curves(report, true, text);
  ls_text_add(text, "%s", figure_efficiency);
  add_curves(report, false, text);
  ls_text_add(text, "unset multiplot\n");
}

/* Have gnuplot run a script in its folder, and write to an open file: were it to make one by name, it could
 * do so after this process has ended. */
static bool draw(const char *folder, char *script, int figure_file)
{
  char program[] = "gnuplot", call[] = "-c", figure[] = "/dev/stdout";
  char *const arguments[] = {program, call, script, figure, NULL};
  posix_spawn_file_actions_t actions;
  pid_t child;
  int status = -1;
  if (posix_spawn_file_actions_init(&actions) != 0) return false;
  const bool started = posix_spawn_file_actions_addchdir_np(&actions, folder) == 0 &&
                       posix_spawn_file_actions_adddup2(&actions, figure_file, STDOUT_FILENO) == 0 &&
                       posix_spawnp(&child, program, &actions, NULL, arguments, environ) == 0;
  posix_spawn_file_actions_destroy(&actions);
  return started && waitpid(child, &status, 0) == child && status == 0;
}

/* ---- files ---- */

static ls_status write_text(const char *folder, const char *name, const char *suffix, const ls_text *content)
{
  ls_text path = {0};
  char *whole;
  ls_text_add(&path, "%s/%s%s", folder, name, suffix);
  LS_PASS(ls_text_take(&path, &whole));
  const ls_status status = content->failed ? ls_fail(LS_E_MEMORY, "no memory for %s", whole)
                                           : ls_file_write(whole, ls_text_get(content), content->length);
  free(whole);
  return status;
}

static ls_status write_csv(const char *folder, const ls_table *table)
{
  ls_text csv = {0};
  ls_table_csv(table, &csv);
  const ls_status status = write_text(folder, table->name, ".csv", &csv);
  ls_text_fini(&csv);
  return status;
}

static ls_status write_h5(const char *folder, const char *config, const tables *all)
{
  ls_text path = {0};
  char *whole;
  ls_text_add(&path, "%s/scaling.h5", folder);
  LS_PASS(ls_text_take(&path, &whole));
  const ls_status status = ls_scaling_write(whole, config, all->list, all->count);
  free(whole);
  return status;
}

/* A figure that gnuplot has not finished never has the figure's name. */
static ls_status draw_figure(const char *folder, char *script, bool *has_figure)
{
  ls_directory directory;
  ls_temporary figure = {.descriptor = -1};
  LS_PASS(ls_directory_open(&directory, folder));
  ls_status status;
  LS_GO(ls_temporary_make(&figure, &directory, "scaling.svg"));
  *has_figure = draw(folder, script, figure.descriptor);
  if (*has_figure) LS_GO(ls_temporary_keep(&figure));
done:
  ls_temporary_fini(&figure);
  ls_directory_close(&directory);
  return status;
}

static ls_status write_figure(const ls_scale_report *report, const char *folder, bool *has_figure)
{
  char name[] = "scaling.gp";
  ls_text script = {0};
  add_figure(report, &script);
  const ls_status status = write_text(folder, name, "", &script);
  ls_text_fini(&script);
  return status == LS_OK ? draw_figure(folder, name, has_figure) : status;
}

ls_status ls_scale_report_write(const ls_scale_report *report, const char *folder, const char *config,
                                bool *has_figure)
{
  tables all = {.count = 0};
  ls_status status;
  LS_GO(fill_tables(&all, report));
  for (size_t i = 0; i < all.count; i++) LS_GO(write_csv(folder, &all.list[i]));
  LS_GO(write_figure(report, folder, has_figure));
  LS_GO(write_h5(folder, config, &all));
done:
  for (size_t i = 0; i < MOST_TABLES; i++) free(all.values[i]);
  return status;
}
