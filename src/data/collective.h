/* SPDX-License-Identifier: BSD-3-Clause */
/* A dataset that all ranks open. Each looks at its own copy of the files, as far as that is cheap: one that
 * was started in another folder, or has an old copy on its own host, would train on a mixture that nobody
 * asked for. Gzip data are another matter: whoever wants a sample has to decompress all that come before it,
 * so rank 0 decompresses them for all; labels as well where they lie between the images, as in CIFAR-10. */
#ifndef LS_DATA_COLLECTIVE_H
#define LS_DATA_COLLECTIVE_H

#include "base/status.h"
#include "comm/comm.h"
#include "data/source.h"

/** ls_source_open_as() on every rank; rank 0 alone goes through gzip images, and through files that lie there
 * both plain and as gzip. Collective. Errors: as there; LS_E_COMM. */
ls_status ls_source_open_collective(ls_source **out, ls_comm *comm, const char *where,
                                    const ls_reading *reading) LS_CHECKED;

/** Compare shape, classes, counts and labels of the dataset with rank 0's. Collective. Errors: LS_E_INPUT
 * with the rank and what differs; LS_E_MEMORY; LS_E_COMM. */
ls_status ls_source_check_same(const ls_source *source, ls_comm *comm) LS_CHECKED;

/** Read images first .. first+count-1 of a split, other ones on each rank, into images [count, c, h, w]
 * uint8: each rank its own from its files; but where they are gzip on any rank, rank 0 reads those of all, in
 * the order of the ranks, and sends them in portions. It decompresses them once if later ranks ask for later
 * samples. `source` was opened on every rank, and is the same. Collective. Errors: as
 * ls_source_read_images(); LS_E_COMM. */
ls_status ls_source_read_collective(ls_source *source, ls_comm *comm, ls_split split, size_t first,
                                    size_t count, uint8_t *images) LS_CHECKED;

#endif
