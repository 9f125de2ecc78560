# The schema as a C array, with nothing but POSIX tools: od prints bytes as numbers, sed puts commas between them.
$B/scenarios/schema.c: scenarios/phase2sim.xsd
	@mkdir -p $(@D)
	{ echo '#include <stddef.h>'; echo 'extern const char scenario_schema[];'; \
	  echo 'extern const size_t scenario_schema_len;'; echo 'const char scenario_schema[] = {'; \
	  od -An -v -tu1 scenarios/phase2sim.xsd | sed -e 's/^ *//' -e 's/  */,/g' -e 's/$$/,/'; echo '0};'; \
	  echo 'const size_t scenario_schema_len = sizeof scenario_schema - 1;'; } >$@.new
	mv $@.new $@
$B/scenarios/schema.o: $B/scenarios/schema.c
	$(CC) $(C_FLAGS) -c $< -o $@
$B/libscenario.a: $B/scenarios/schema.o
