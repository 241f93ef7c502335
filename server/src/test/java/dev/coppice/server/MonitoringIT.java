package dev.coppice.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What the shipped alerts and dashboard look at is what a server tells. */
class MonitoringIT {
    private static final Path MONITORING = Path.of("..", "docs", "monitoring");
    private static final Pattern NAME = Pattern.compile("\\bcoppice_[a-z0-9_]+");
    private static final Pattern OUTCOME = Pattern.compile("outcome=\\\\?\"([a-z-]+)\\\\?\"");

    @Test
    void every_metric_of_the_alerts_and_the_dashboard_is_in_a_scrape() throws Exception {
        try (ServerProcess server = ServerProcess.start("mon")) {
            assertThat(Programs.psql(server.uri("main"), "select 1").exitCode()).isZero();
            server.cli("computes", "suspend", "main").text();
            String scrape = get(server.operations().resolve("/metrics"));
            Set<String> told = names(scrape);
            for (String file : Set.of("rules.yaml", "dashboard.json")) {
                String text = Files.readString(MONITORING.resolve(file));
                assertThat(told).as(file).containsAll(names(text));
                Matcher outcomes = OUTCOME.matcher(text);
                while (outcomes.find()) {
                    assertThat(scrape).as(file).contains("outcome=\"" + outcomes.group(1) + "\"");
                }
            }
            assertThat(server.cli("computes", "list").text())
                    .as("scraping wakes nothing")
                    .contains("idle");
        }
    }

    private static Set<String> names(String text) {
        return NAME.matcher(text)
                .results()
                .map(result -> result.group())
                .collect(Collectors.toCollection(TreeSet::new));
    }

    private static String get(URI uri) throws IOException, InterruptedException {
        try (HttpClient client = HttpClient.newHttpClient()) {
            HttpResponse<String> answer =
                    client.send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());
            assertThat(answer.statusCode()).isEqualTo(200);
            return answer.body();
        }
    }
}
