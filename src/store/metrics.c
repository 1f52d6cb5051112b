/* SPDX-License-Identifier: BSD-3-Clause */
/* The metrics of a run, for people and plots: metrics.h5 and metrics.csv, rewritten as a whole each time,
 * which is cheap (a row per epoch) and leaves them complete at any moment. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "base/files/directory.h"
#include "base/files/temporary.h"
#include "base/text.h"
#include "store/checkpoint.h"
#include "h5/h5.h"
#include "store/internal.h"

static ls_status write_tables(ls_h5_id file, const ls_state *state)
{
  ls_h5_id group = LS_H5_NONE;
  const ls_status status = ls_histories_write(&group, file, state);
  return ls_h5_close(group, status);
}

static ls_status write_h5(const ls_directory *run_dir, const ls_checkpoint_info *info, const ls_state *state)
{
  ls_h5_image image;
  ls_status status;
  LS_GO(ls_h5_image_start(&image, 0));
  LS_GO(ls_format_write(image.file, LS_METRICS_FORMAT));
  LS_GO(write_tables(image.file, state));
  LS_GO(ls_split_metrics_write(image.file, &state->split_metrics, info->class_names));
  LS_GO(ls_h5_image_finish(&image));
  LS_GO(ls_directory_write(run_dir, "metrics.h5", image.bytes, image.count));
done:
  ls_h5_image_fini(&image);
  return status;
}

/* What is no number is left out. */
static void add_number(ls_text *csv, double value)
{
  if (isfinite(value)) ls_text_add(csv, "%.9g", value);
  ls_text_add(csv, ",");
}

/* The last columns, which classes have not. */
static void add_several(ls_text *csv, const ls_epoch_metrics *validation)
{
  if (validation)
    ls_text_add(csv, ",%.9g,%.9g,%.9g", validation->micro_f1, validation->macro_f1,
                validation->mean_average_precision);
  else
    ls_text_add(csv, ",,,");
}

static void add_values(ls_text *csv, const ls_epoch_metrics *validation)
{
  if (validation)
    ls_text_add(csv, ",%.9g,%.9g,%.9g", validation->mae, validation->rmse, validation->r2);
  else
    ls_text_add(csv, ",,,");
}

static void add_nothing(ls_text *csv, const ls_epoch_metrics *validation)
{
  (void)csv;
  (void)validation;
}

static const struct {
  const char *head;
  void (*add)(ls_text *csv, const ls_epoch_metrics *validation);
} last_columns[] = {
    [LS_LABELS_CLASS] = {"", add_nothing},
    [LS_LABELS_SEVERAL] = {",validation_micro_f1,validation_macro_f1,validation_mean_average_precision",
                           add_several},
    [LS_LABELS_VALUES] = {",validation_mae,validation_rmse,validation_r2", add_values},
};

static void add_row(ls_text *csv, const ls_epoch_metrics *train, const ls_epoch_metrics *validation,
                    ls_label_form labels)
{
  ls_text_add(csv, "%" PRIu64 ",%" PRIu64 ",%.9g,", train->epoch, train->step, train->loss);
  add_number(csv, train->accuracy);
  add_number(csv, validation ? validation->loss : NAN);
  add_number(csv, validation ? validation->accuracy : NAN);
  ls_text_add(csv, "%.9g,%.6g", train->learning_rate, train->seconds);
  last_columns[labels].add(csv, validation);
  ls_text_add(csv, "\n");
}

static ls_status write_csv(const ls_directory *run_dir, const ls_state *state)
{
  const ls_history *train = &state->train;
  ls_text csv = {0};
  ls_text_add(&csv,
              "epoch,step,train_loss,train_accuracy,validation_loss,validation_accuracy,learning_rate,"
              "seconds%s\n",
              last_columns[state->labels].head);
  for (size_t i = 0; i < train->count; i++)
    add_row(&csv, &train->rows[i], ls_history_find(&state->validation, train->rows[i].epoch), state->labels);
  size_t length = csv.length;
  char *text;
  LS_PASS(ls_text_take(&csv, &text));
  ls_status status = ls_directory_write(run_dir, "metrics.csv", text, length);
  free(text);
  return status;
}

ls_status ls_metrics_write(const ls_directory *run_dir, const ls_checkpoint_info *info, const ls_state *state)
{
  LS_TRY(write_h5(run_dir, info, state), "cannot write the metrics of the run");
  LS_TRY(write_csv(run_dir, state), "cannot write the metrics of the run");
  return LS_OK;
}
