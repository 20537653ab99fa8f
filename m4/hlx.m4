# What configure needs is collected here and reported once, all of it together.

# HLX_MISSING(WHAT, APT, DNF, PACMAN)
# Remember that WHAT is not there and which packages bring it.
AC_DEFUN([HLX_MISSING], [AS_VAR_APPEND([hlx_missing], ["
  $1
      Debian, Ubuntu:  apt install $2
      Fedora:          dnf install $3
      Arch:            pacman -S $4"])])

# HLX_LIB(VAR, PKG-CONFIG MODULE WITH VERSION, HEADER, FUNCTION, LIBRARY, IF-FOUND, IF-NOT-FOUND)
# Set VAR_CFLAGS and VAR_LIBS: from pkg-config, or from the header and the
# library themselves where pkg-config knows nothing of them.
AC_DEFUN([HLX_LIB], [
  PKG_CHECK_MODULES([$1], [$2], [AS_VAR_SET([hlx_have_$1], [yes])],
    [AS_VAR_SET([hlx_have_$1], [no])
     AC_CHECK_HEADER([$3],
       [AC_CHECK_LIB([$5], [$4], [AS_VAR_SET([hlx_have_$1], [yes]) $1_LIBS=-l$5])])])
  AS_VAR_IF([hlx_have_$1], [yes], [m4_default([$6], [:])], [$7])
])

# HLX_NEED_LIB(NAME, VAR, MODULE, HEADER, FUNCTION, LIBRARY, APT, DNF, PACMAN)
AC_DEFUN([HLX_NEED_LIB], [
  HLX_LIB([$2], [$3], [$4], [$5], [$6], [], [HLX_MISSING([$1], [$7], [$8], [$9])])
])

# HLX_NEED_HEADER(NAME, HEADER, APT, DNF, PACMAN)
AC_DEFUN([HLX_NEED_HEADER], [
  AC_CHECK_HEADER([$2], [], [HLX_MISSING([$1], [$3], [$4], [$5])])
])

# HLX_REPORT_MISSING
# Stop here if anything was missing.
AC_DEFUN([HLX_REPORT_MISSING], [
  AS_IF([test -n "$hlx_missing"], [AC_MSG_ERROR([these are missing:
$hlx_missing

./bootstrap installs them, as root or with sudo.])])
])

# HLX_EXACT_FLOAT
# Every result of hlx is defined to the bit, so a compiler that was told to
# reorder, contract or flush floating point is refused.
AC_DEFUN([HLX_EXACT_FLOAT], [
  AC_MSG_CHECKING([whether the compiler keeps floating point exact])
  hlx_bad_flag=
  for hlx_flag in $CC $CPPFLAGS $CFLAGS $LDFLAGS; do
    AS_CASE([$hlx_flag],
      [-Ofast | -ffast-math | -funsafe-math-optimizations | -fassociative-math | \
       -freciprocal-math | -ffinite-math-only | -fno-signed-zeros | -fcx-limited-range | \
       -ffp-contract=fast | -ffp-contract=on | -ffp-model=fast | -ffp-model=aggressive | \
       -mdaz-ftz | -mfpmath=387], [hlx_bad_flag=$hlx_flag])
  done
  AS_IF([test -n "$hlx_bad_flag"], [
    AC_MSG_RESULT([no])
    AC_MSG_ERROR([$hlx_bad_flag changes results: take it out of CC, CPPFLAGS, CFLAGS and LDFLAGS (hlx defines every result to the bit)])])
  AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[
#include <float.h>
#if defined __FAST_MATH__ || (defined __FINITE_MATH_ONLY__ && __FINITE_MATH_ONLY__)
#error fast math
#endif
#if FLT_EVAL_METHOD != 0
#error floats are computed in a wider type
#endif
]], [])], [AC_MSG_RESULT([yes])], [
    AC_MSG_RESULT([no])
    AC_MSG_ERROR([this compiler, with these flags, does not compute floats as IEEE binary32: no fast math, and on 32-bit x86 add -msse2 -mfpmath=sse])])
])

# HLX_GLSLANG
# Set GLSLANG to a compiler that takes what the Makefile gives it.
AC_DEFUN([HLX_GLSLANG], [
  AC_ARG_VAR([GLSLANG], [GLSL to SPIR-V compiler (glslang or glslangValidator)])
  AC_CHECK_PROGS([GLSLANG], [glslangValidator glslang])
  AS_IF([test -z "$GLSLANG"],
    [HLX_MISSING([glslang (GLSL compiler)], [glslang-tools], [glslang], [glslang])],
    [AC_MSG_CHECKING([whether $GLSLANG compiles for Vulkan 1.2])
     AS_ECHO(["@%:@version 450
layout(local_size_x = 1) in; void main() {}"]) > conftest.comp
     AS_IF([$GLSLANG -V --quiet --target-env vulkan1.2 -I. conftest.comp -o conftest.spv >&AS_MESSAGE_LOG_FD 2>&1 && test -s conftest.spv],
       [AC_MSG_RESULT([yes])],
       [AC_MSG_RESULT([no])
        HLX_MISSING([glslang that knows --quiet and --target-env vulkan1.2 ($GLSLANG does not)],
          [glslang-tools], [glslang], [glslang])])
     rm -f conftest.comp conftest.spv])
])

# HLX_UPLOT(VERSION, SHA-256 OF ITS PACKAGE)
# Charts for hlxt dash: nothing is fetched unless somebody asks.
AC_DEFUN([HLX_UPLOT], [
  AC_ARG_WITH([uplot], [AS_HELP_STRING([--with-uplot@<:@=FILE@:>@],
    [charts in hlxt dash, by uPlot $1: from FILE, its package (uplot-$1.tgz), or fetched by npm when hlx is built])],
    [hlx_uplot=$withval], [hlx_uplot=no])
  AS_IF([test "$hlx_uplot" = yes && ! command -v npm >/dev/null],
    [AC_MSG_ERROR([--with-uplot needs npm; or give the package: --with-uplot=uplot-$1.tgz])])
  UPLOT_FILE=
  AS_CASE([$hlx_uplot], [yes | no], [], [
    AS_IF([test ! -f "$hlx_uplot"], [AC_MSG_ERROR([--with-uplot=$hlx_uplot: no such file])])
    UPLOT_FILE=`cd "$(dirname "$hlx_uplot")" && pwd`/`basename "$hlx_uplot"`])
  AC_SUBST([UPLOT_FILE])
  AC_SUBST([UPLOT_VERSION], [$1])
  AC_SUBST([UPLOT_SHA256], [$2])
  AM_CONDITIONAL([WITH_UPLOT], [test "$hlx_uplot" != no])
  AS_IF([test "$hlx_uplot" != no], [AC_DEFINE([HAVE_UPLOT], [1], [uPlot is built in])])
])
