# The libraries that lockstep stands on, as imported targets. jobs/bootstrap.sh installs them on Debian.
set(LS_MISSING "") # what is not there, and the Debian package that has it

# ls_found FOUND WHAT PACKAGE: note what is missing, so that all of it is reported at once.
macro(ls_found found what package)
  if(NOT ${found})
    list(APPEND LS_MISSING "${what} (Debian: ${package})")
  endif()
endmacro()

find_package(PkgConfig)
find_package(MPI 3.1 COMPONENTS C)
ls_found(MPI_C_FOUND "MPI 3.1, such as Open MPI 4" libopenmpi-dev)
find_package(OpenMP COMPONENTS C)
ls_found(OpenMP_C_FOUND "OpenMP of this compiler" "libomp-dev for clang")
find_package(Threads)
find_package(ZLIB)
ls_found(ZLIB_FOUND zlib zlib1g-dev)
find_package(PNG)
ls_found(PNG_FOUND libpng libpng-dev)
if(PKG_CONFIG_FOUND)
  pkg_check_modules(YAML IMPORTED_TARGET yaml-0.1)
  pkg_check_modules(XXHASH IMPORTED_TARGET libxxhash>=0.8)
  pkg_check_modules(JANSSON IMPORTED_TARGET jansson)
  pkg_check_modules(ZIP IMPORTED_TARGET libzip>=1.7)
  pkg_check_modules(CBLAS IMPORTED_TARGET openblas)
endif()
ls_found(PKG_CONFIG_FOUND pkg-config pkg-config)
ls_found(YAML_FOUND libyaml libyaml-dev)
ls_found(XXHASH_FOUND "xxHash 0.8" libxxhash-dev)
ls_found(JANSSON_FOUND jansson libjansson-dev)
ls_found(ZIP_FOUND "libzip 1.7" libzip-dev)
find_path(RANDOM123_INCLUDE Random123/philox.h)
ls_found(RANDOM123_INCLUDE Random123 librandom123-dev)
include(hdf5)
include(gemm)

if(LS_MISSING)
  list(JOIN LS_MISSING "\n  " LS_MISSING)
  message(FATAL_ERROR "lockstep needs what is not found:\n  ${LS_MISSING}\n"
                      "On Debian `bash jobs/bootstrap.sh` installs all; elsewhere load modules, or name folders in "
                      "CMAKE_PREFIX_PATH and PKG_CONFIG_PATH.")
endif()
