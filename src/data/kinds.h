/* SPDX-License-Identifier: BSD-3-Clause */
/* The lists of augmentations and of readers of datasets: a new kind is a file of its own and one word here.
 */
#ifndef LS_DATA_KINDS_H
#define LS_DATA_KINDS_H

/* In the order in which help lists their keys, and in which those of the same operation work. */
#define LS_AUGMENT_LIST(X) X(affine) X(elastic) X(crop) X(flip) X(cutout) X(erase)

#define LS_READER_LIST(X) X(idx) X(cifar) X(h5set)

/* The formats that are named by a folder, as help texts have them. */
#define LS_FOLDER_FORMATS "IDX or CIFAR-10 binary"

#endif
