package dev.coppice.cli;

import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/** What the commands share that replace what a branch contains. */
final class Restoring {
    static final String PRESERVE = "Keep what the branch is now as a new branch of this name; its children move there.";

    private Restoring() {}

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
            @Nullable Moment moment,
            @Nullable String preserve) {
        ObjectNode body = JsonMapper.shared().createObjectNode();
        body.put("source_branch_id", source.path("id").asString(""));
        if (moment != null) {
            moment.put(body, "source");
        }
        if (preserve != null) {
            body.put("preserve_under_name", preserve);
        }
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
        }
        return 0;
    }
}
