/* SPDX-License-Identifier: BSD-3-Clause */
/* Known datasets: one row each. Class names and numbers are those of the publishers:
 * MNIST: LeCun et al. 1998. Fashion-MNIST: Xiao, Rasul, Vollgraf 2017. KMNIST: Clanuwat et al. 2018
 * (romanized). EMNIST: Cohen et al. 2017, whose files hold images by columns, and letters numbered from 1.
 * CIFAR-10: Krizhevsky 2009. */
#include "data/catalogue.h"

#include <stdlib.h>
#include <string.h>

#include "base/files/file.h"
#include "data/readers/folder.h"

static const char *const fashion_names[] = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                                            "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};

static const char *const kana_names[] = {"o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo"};

static const char *const cifar_names[] = {"airplane", "automobile", "bird",  "cat",  "deer",
                                          "dog",      "frog",       "horse", "ship", "truck"};

#define DIGITS "0", "1", "2", "3", "4", "5", "6", "7", "8", "9"
#define CAPITALS                                                                                             \
  "A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M", "N", "O", "P", "Q", "R", "S", "T", "U",   \
      "V", "W", "X", "Y", "Z"

static const char *const letter_names[] = {CAPITALS};

/* Small letters that look like their capitals are merged with them. */
static const char *const merged_names[] = {DIGITS, CAPITALS, "a", "b", "d", "e", "f",
                                           "g",    "h",      "n", "q", "r", "t"};

static const char *const character_names[] = {DIGITS, CAPITALS, "a", "b", "c", "d", "e", "f", "g", "h",
                                              "i",    "j",      "k", "l", "m", "n", "o", "p", "q", "r",
                                              "s",    "t",      "u", "v", "w", "x", "y", "z"};

#define COUNT_OF(array) (sizeof(array) / sizeof *(array))
#define NAMES(array) .classes = COUNT_OF(array), .class_names = (array)
#define EMNIST(split)                                                                                        \
  .name = "emnist-" split, .folders = {"emnist-" split, "emnist", NULL}, .prefix = "emnist-" split "-",      \
  .is_transposed = true, .picture = LS_PICTURE_LETTER

const ls_catalogue_entry ls_catalogue[] = {
    {.name = "mnist",
     .doc = "handwritten digits",
     .classes = 10,
     .folders = {"mnist", NULL},
     .prefix = "",
     .picture = LS_PICTURE_DIGIT},
    {.name = "fashion-mnist",
     .doc = "articles of clothing",
     NAMES(fashion_names),
     .folders = {"fashion-mnist", NULL},
     .prefix = "",
     .picture = LS_PICTURE_PLAIN},
    {.name = "kmnist",
     .doc = "cursive Japanese kana",
     NAMES(kana_names),
     .folders = {"kmnist", NULL},
     .prefix = "",
     .picture = LS_PICTURE_GLYPH},
    {EMNIST("balanced"), .doc = "handwritten digits and letters, as many of each", NAMES(merged_names)},
    {EMNIST("byclass"), .doc = "handwritten digits, capitals and small letters", NAMES(character_names)},
    {EMNIST("bymerge"), .doc = "handwritten digits and letters, look-alikes merged", NAMES(merged_names)},
    {EMNIST("digits"), .doc = "handwritten digits, four times MNIST's", .classes = 10},
    {EMNIST("letters"), .doc = "handwritten letters, capital and small together", NAMES(letter_names),
     .first_label = 1},
    {EMNIST("mnist"), .doc = "MNIST, made anew from the same source", .classes = 10},
    {.name = "cifar10",
     .doc = "small colour photographs",
     NAMES(cifar_names),
     .folders = {"cifar10", "cifar-10-batches-bin", NULL},
     .prefix = "",
     .picture = LS_PICTURE_PLAIN},
    {.name = NULL}};

const ls_catalogue_entry *ls_catalogue_find(const char *name)
{
  for (const ls_catalogue_entry *entry = ls_catalogue; entry->name; entry++)
    if (strcmp(entry->name, name) == 0) return entry;
  return NULL;
}

ls_picture_kind ls_catalogue_picture(const char *name)
{
  const ls_catalogue_entry *entry = ls_catalogue_find(name);
  return entry ? entry->picture : LS_PICTURE_PLAIN;
}

const ls_catalogue_entry *ls_catalogue_of_file(const char *name)
{
  for (const ls_catalogue_entry *entry = ls_catalogue; entry->name; entry++)
    if (entry->prefix[0] && strcasestr(name, entry->prefix)) return entry;
  return NULL;
}

static bool may_lie_in(const ls_catalogue_entry *entry, const char *folder)
{
  for (const char *const *name = entry->folders; *name; name++)
    if (strcmp(*name, folder) == 0) return true;
  return false;
}

void ls_catalogue_describe(const char *folder, ls_text *text)
{
  const char *between = "";
  for (const ls_catalogue_entry *entry = ls_catalogue; entry->name; entry++) {
    if (folder && !may_lie_in(entry, folder)) continue;
    ls_text_add(text, "%s%s", between, entry->name);
    between = ", ";
  }
}

/* A search along a list of folders, and its result. */
typedef struct path_search {
  const char *name;
  const char *const *folders; /* NULL-terminated */
  char *found;                /* owned; NULL: nothing yet */
  ls_text *searched;
} path_search;

/* Look at one path. */
static ls_status try_path(path_search *search, const char *root, const char *name, ls_file_kind wanted)
{
  if (search->found) return LS_OK;
  char *path;
  ls_file_kind kind;
  LS_PASS(ls_path_join(&path, root, name));
  ls_text_add(search->searched, "%s'%s'", search->searched->length > 0 ? ", " : "", path);
  const ls_status status = ls_file_look(&kind, path);
  if (status == LS_OK && kind == wanted)
    search->found = path;
  else
    free(path);
  return status;
}

static ls_status try_root(path_search *search, const char *root)
{
  for (const char *const *folder = search->folders; *folder; folder++)
    LS_PASS(try_path(search, root, *folder, LS_FILE_FOLDER));
  char *file;
  ls_text name = {0};
  ls_text_add(&name, "%s.h5", search->name);
  LS_PASS(ls_text_take(&name, &file));
  ls_status status = try_path(search, root, file, LS_FILE_REGULAR);
  free(file);
  return status;
}

static ls_status try_roots(path_search *search, char *roots)
{
  char *rest = NULL;
  for (const char *root = strtok_r(roots, ":", &rest); root; root = strtok_r(NULL, ":", &rest))
    LS_PASS(try_root(search, root));
  return LS_OK;
}

ls_status ls_catalogue_search(char **path, const char *name, const ls_catalogue_entry *entry,
                              ls_text *searched)
{
  const char *const by_name[] = {name, NULL};
  path_search search = {.name = name, .folders = entry ? entry->folders : by_name, .searched = searched};
  const char *set = getenv("LOCKSTEP_DATA_PATH");
  ls_text text = {0};
  ls_text_add(&text, "%s:data:/usr/share/datasets", set ? set : "");
  char *roots;
  LS_PASS(ls_text_take(&text, &roots));
  ls_status status = try_roots(&search, roots);
  free(roots);
  *path = search.found;
  return status;
}
