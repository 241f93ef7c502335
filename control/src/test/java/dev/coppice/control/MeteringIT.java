package dev.coppice.control;

import static org.assertj.core.api.Assertions.assertThat;

import dev.coppice.common.TimelineId;
import dev.coppice.control.ControlFixture.Answer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What is used is measured whatever becomes of one branch. */
class MeteringIT {
    @Test
    void a_damaged_branch_keeps_nobody_from_being_measured() throws Exception {
        try (ControlFixture fixture = new ControlFixture(-1)) {
            ProjectFixture damaged = new ProjectFixture(fixture, "damaged");
            ProjectFixture whole = new ProjectFixture(fixture, "whole");
            String branch = damaged.created("broken");
            damaged.execute(branch, "CREATE TABLE t AS SELECT generate_series(1, 1000) AS n");
            fixture.computes.suspend(damaged.endpointOf(branch)).join();
            fixture.pages
                    .timeline(new TimelineId(damaged.row(branch).timelineId()))
                    .flush();
            fixture.shutDown();
            Path layers = fixture.data
                    .resolve("timelines")
                    .resolve(damaged.row(branch).timelineId())
                    .resolve("layers");
            byte[] rubbish = new byte[400];
            new Random(14).nextBytes(rubbish);
            try (Stream<Path> files = Files.list(layers)) {
                for (Path manifest : files.filter(
                                file -> file.getFileName().toString().startsWith("manifest-"))
                        .toList()) {
                    Files.write(manifest, rubbish);
                }
            }
            fixture.open();

            Instant hour = Instant.now().truncatedTo(ChronoUnit.HOURS);
            Answer history = fixture.get("/consumption_history/projects?granularity=hourly&from=" + hour + "&to="
                    + hour.plus(1, ChronoUnit.HOURS));

            assertThat(history.status()).as(history.body().toString()).isEqualTo(200);
            assertThat(history.body().toString()).contains(whole.id).contains(damaged.id);
            assertThat(whole.query(whole.main, "SELECT 1")).isEqualTo("1");
        }
    }
}
