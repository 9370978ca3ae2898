# Runs PROGRAM, which must end with 0 and print the file EXPECTED; every address counts as ADDRESS,
# and every time, such as 12.3us, with the blanks before it, as TIME after one blank.
#     cmake -DPROGRAM=<path> -DEXPECTED=<path> -P expect_output.cmake

execute_process(COMMAND "${PROGRAM}" RESULT_VARIABLE result OUTPUT_VARIABLE printed)
string(REGEX REPLACE "0x[0-9a-f]+" "ADDRESS" printed "${printed}")
string(REGEX REPLACE " +[0-9]+\\.[0-9]+us" " TIME" printed "${printed}")
file(READ "${EXPECTED}" expected)

if(NOT result STREQUAL "0")
  message(FATAL_ERROR "${PROGRAM} ended with ${result}; it printed\n${printed}")
endif()
if(NOT printed STREQUAL expected)
  message(FATAL_ERROR "${PROGRAM} printed\n${printed}\nbut ${EXPECTED} says\n${expected}")
endif()
