package dev.coppice.cli.command.branch;

import dev.coppice.cli.api.Session;
import dev.coppice.cli.command.PointInTime;
import dev.coppice.cli.output.CliException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** What the commands share that replace what a branch contains. */
final class Restoring {
    static final String PRESERVE = "Keep what the branch is now as a new branch of this name; its children move there.";

    private Restoring() {}

    private static List<String> childrenOf(Session session, String project, String id) {
        List<String> names = new ArrayList<>();
        for (JsonNode branch : session.branches(project)) {
            if (branch.path("parent_id").asString("").equals(id)) {
                names.add(branch.path("name").asString(""));
            }
        }
        return names;
    }

    static JsonNode parentOf(Session session, String project, JsonNode branch) {
        String parent = branch.path("parent_id").asString("");
        if (parent.isEmpty()) {
            throw new CliException(
                    CliException.REFUSED,
                    "branch \"" + branch.path("name").asString("") + "\" has no parent",
                    "go back to a point of its own past: coppice branches restore BRANCH ^self@POINT"
                            + " --preserve-under-name NAME");
        }
        return session.branch(project, parent);
    }

    static int send(
            Session session,
            String project,
            JsonNode target,
            JsonNode source,
            @Nullable PointInTime moment,
            @Nullable String preserve) {
        ObjectNode body = JsonMapper.shared().createObjectNode();
        body.put("source_branch_id", source.path("id").asString(""));
        if (moment != null) {
            moment.put(body, "source");
        }
        if (preserve != null) {
            body.put("preserve_under_name", preserve);
        }
        List<String> moved = preserve == null || !session.output().isTable()
                ? List.of()
                : childrenOf(session, project, target.path("id").asString(""));
        JsonNode restored = session.finished(session.api().post(Session.path(project, target) + "/restore", body))
                .path("branch");
        if (!session.output().isTable()) {
            session.output().tree(restored);
            return 0;
        }
        session.output()
                .line("Branch " + target.path("name").asString("") + " has the data of "
                        + source.path("name").asString("") + " at "
                        + restored.path("parent_lsn").asString("") + ".");
        if (preserve != null) {
            session.output().line("What it was is branch " + preserve + ".");
            if (!moved.isEmpty()) {
                session.output()
                        .line("The branches made from it hang on " + preserve + ": " + String.join(", ", moved)
                                + ". A reset of them takes the data of " + preserve + ", not of "
                                + target.path("name").asString("") + "; for that, restore them from "
                                + target.path("name").asString("") + ".");
            }
        }
        return 0;
    }
}
