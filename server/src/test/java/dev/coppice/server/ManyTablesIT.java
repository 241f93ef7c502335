package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A branch of a database with very many relations wakes without placing all their files. */
class ManyTablesIT {
    private static final int TABLES = 10_000;

    @Test
    void a_branch_of_ten_thousand_tables_touches_only_what_it_uses() throws IOException {
        try (ServerProcess server = ServerProcess.start("many")) {
            String main = server.uri("main");
            for (int from = 0; from < TABLES; from += 2_500) {
                Programs.psql(
                                main,
                                "do $$ begin for i in %d..%d loop execute format('create table t%%s (id int primary key)', i); end loop; end $$"
                                        .formatted(from + 1, from + 2_500))
                        .text();
            }
            server.cli("branches", "create", "--name", "wide").text();
            String wide = server.uri("wide");
            assertThat(Programs.psql(wide, "select count(*) from pg_class where relname ~ '^t[0-9]+$'")
                            .text())
                    .isEqualTo(String.valueOf(TABLES));
            Programs.psql(wide, "insert into t17 values (1)").text();
            assertThat(Programs.psql(wide, "select pg_database_size('coppice') > 80000000")
                            .text())
                    .isEqualTo("t");
            assertThat(placedFiles(server, main, wide)).isBetween(50L, 1_500L);
        }
    }

    /** The relation files in the local directory of the branch that is not main's. */
    private static long placedFiles(ServerProcess server, String main, String wide) throws IOException {
        assertThat(main).isNotEqualTo(wide);
        long fewest = Long.MAX_VALUE;
        try (Stream<Path> timelines = Files.list(server.data().resolve("timelines"))) {
            for (Path timeline : timelines.toList()) {
                Path base = timeline.resolve("local/pgdata/base");
                if (Files.exists(base)) {
                    try (Stream<Path> files = Files.walk(base)) {
                        fewest = Math.min(
                                fewest, files.filter(Files::isRegularFile).count());
                    }
                }
            }
        }
        return fewest;
    }
}
