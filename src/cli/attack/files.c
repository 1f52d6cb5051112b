/* SPDX-License-Identifier: BSD-3-Clause */
/* Files of an attack: one set of examples for each network and epsilon, one report of all. */
#include "cli/attack/files.h"

#include <stdlib.h>
#include <string.h>

#include "base/files/temporary.h"

void ls_attack_folder(const char *output, size_t k, size_t count, ls_text *folder)
{
  ls_text_add(folder, "%s", output);
  if (count > 1) ls_text_add(folder, "/" LS_ATTACK_FOLDER, k + 1);
}

const char *ls_attack_epsilon_name(double epsilon, char name[LS_EPSILON_BYTES])
{
  ls_format(name, LS_EPSILON_BYTES, "%g", epsilon);
  return name;
}

/* "FOLDER/adversarial-0.25.h5", freed by the caller. */
static ls_status path_of(const char *folder, const char *name, double epsilon, const char *suffix,
                         char **path)
{
  char number[LS_EPSILON_BYTES];
  ls_text text = {0};
  ls_text_add(&text, "%s/%s-%s%s", folder, name, ls_attack_epsilon_name(epsilon, number), suffix);
  return ls_text_take(&text, path);
}

ls_status ls_attack_write_examples(const char *folder, const ls_examples *examples, double epsilon,
                                   const ls_dataset_info *data)
{
  ls_picture picture = {0};
  char *png = NULL, *h5 = NULL;
  ls_status status;
  LS_GO(path_of(folder, "examples", epsilon, ".png", &png));
  LS_GO(path_of(folder, "adversarial", epsilon, ".h5", &h5));
  LS_GO(ls_examples_draw(&picture, examples, epsilon, data));
  LS_GO(ls_png_write(png, &picture));
  LS_GO(ls_examples_write(examples, h5, epsilon, data));
done:
  ls_picture_fini(&picture);
  free(png);
  free(h5);
  return status;
}

static ls_status write_text(const char *folder, const char *name, const char *content)
{
  char *path;
  ls_text text = {0};
  ls_text_add(&text, "%s/%s", folder, name);
  LS_PASS(ls_text_take(&text, &path));
  const ls_status status = ls_file_write(path, content, strlen(content));
  free(path);
  return status;
}

ls_status ls_attack_write_report(const char *folder, const ls_attack_report *report, const char *json)
{
  ls_text curve = {0}, table = {0};
  char *svg = NULL, *csv = NULL;
  ls_status status;
  LS_GO(ls_attack_report_curve(report, &curve));
  LS_GO(ls_text_take(&curve, &svg));
  ls_attack_report_csv(report, &table);
  LS_GO(ls_text_take(&table, &csv));
  LS_GO(write_text(folder, "results.json", json));
  LS_GO(write_text(folder, "curve.svg", svg));
  LS_GO(write_text(folder, "curve.csv", csv));
done:
  ls_text_fini(&curve);
  free(svg);
  free(csv);
  return status;
}
