package dev.coppice.control.api.storage;

import com.fasterxml.jackson.annotation.JsonProperty;
import dev.coppice.control.api.server.Failure;
import dev.coppice.control.branch.StorageInspection;
import dev.coppice.control.catalog.model.Branch;
import dev.coppice.control.catalog.model.Project;
import dev.coppice.storage.file.PageVersion;
import dev.coppice.storage.upkeep.TimelineSize;
import dev.coppice.storage.verify.Finding;
import dev.coppice.storage.verify.Verification;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** What the routes for operators show. Sizes are in bytes. */
public final class StorageViews {
    private StorageViews() {}

    record Stats(List<ProjectStats> projects) {}

    record ProjectStats(
            String projectId,
            String name,
            long logicalSize,
            long ownBytes,
            long localCacheBytes,
            List<BranchStats> branches) {
        static ProjectStats of(Project project, List<StorageInspection.BranchStorage> branches) {
            return new ProjectStats(
                    project.id(),
                    project.name(),
                    sum(branches, TimelineSize::logicalBytes),
                    sum(branches, TimelineSize::ownBytes),
                    sum(branches, TimelineSize::localCacheBytes),
                    branches.stream().map(BranchStats::of).toList());
        }

        private static long sum(
                List<StorageInspection.BranchStorage> branches, java.util.function.ToLongFunction<TimelineSize> part) {
            return branches.stream()
                    .map(StorageInspection.BranchStorage::size)
                    .mapToLong(part)
                    .sum();
        }
    }

    record BranchStats(
            String branchId,
            String name,
            String timelineId,
            long logicalSize,
            long ownBytes,
            long sharedBytes,
            long layerBytes,
            long journalBytes,
            long walBytes,
            long walArchiveBytes,
            long localCacheBytes,
            String horizonLsn,
            @Nullable Instant horizonTime,
            int readAmplification,
            int writeDelayMicroseconds) {
        static BranchStats of(StorageInspection.BranchStorage storage) {
            TimelineSize size = storage.size();
            return new BranchStats(
                    storage.branch().id(),
                    storage.branch().name(),
                    storage.branch().timelineId(),
                    size.logicalBytes(),
                    size.ownBytes(),
                    size.sharedBytes(),
                    size.layerBytes(),
                    size.journalBytes(),
                    size.walBytes(),
                    size.walArchiveBytes(),
                    size.localCacheBytes(),
                    storage.horizon().toString(),
                    storage.horizonTime().orElse(null),
                    storage.readAmplification(),
                    storage.writeDelayMicroseconds());
        }
    }

    record Page(
            String branchId,
            String path,
            long block,
            @Nullable String lsn,
            List<Version> versions) {}

    record Version(
            String timelineId, @Nullable String branch, String stamp, String where, String kind, boolean served) {
        static Version of(PageVersion version, Optional<Branch> branch) {
            return new Version(
                    version.timeline().value(),
                    branch.map(Branch::name).orElse(null),
                    version.stamp().toString(),
                    version.where(),
                    lower(version.kind()),
                    version.served());
        }
    }

    /** A line while it is checked. */
    record ProgressLine(Step progress) {}

    record Step(
            int timeline,
            int timelines,
            String timelineId,
            @Nullable String branch,
            String step,
            long done,
            long total) {}

    record FindingLine(Problem finding) {}

    record Problem(
            String severity, String timelineId, @Nullable String branch, String file, String what, String advice) {
        static Problem of(Finding finding, Optional<Branch> branch) {
            return new Problem(
                    lower(finding.severity()),
                    finding.timeline().value(),
                    branch.map(Branch::name).orElse(null),
                    finding.file(),
                    finding.what(),
                    finding.advice());
        }
    }

    /** The last line. */
    record ResultLine(Result result) {}

    record Result(
            @JsonProperty("clean") boolean isClean,
            int findings,
            long timelines,
            long journalEntries,
            long journalBytes,
            long tornBytes,
            long layers,
            long layerBytes,
            long walRecords,
            long walBytes) {
        static Result of(Verification verification) {
            return new Result(
                    verification.isClean(),
                    verification.findings().size(),
                    verification.timelines(),
                    verification.journalEntries(),
                    verification.journalBytes(),
                    verification.tornBytes(),
                    verification.layers(),
                    verification.layerBytes(),
                    verification.walRecords(),
                    verification.walBytes());
        }
    }

    /** The last line when the check could not be finished. */
    record ErrorLine(Failure error) {}

    private static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
