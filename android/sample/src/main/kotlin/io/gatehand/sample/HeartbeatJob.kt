package io.gatehand.sample

import android.app.job.JobInfo
import android.app.job.JobParameters
import android.app.job.JobScheduler
import android.app.job.JobService
import android.content.ComponentName
import android.content.Context
import android.util.Log
import io.gatehand.GatehandException
import io.gatehand.Heartbeat
import java.util.concurrent.TimeUnit
import kotlinx.coroutines.Job
import kotlinx.coroutines.MainScope
import kotlinx.coroutines.cancel
import kotlinx.coroutines.launch

/**
 * What the device does while nobody looks: it hears of a revocation, reports how it is if the last
 * report is an hour old, and enrols with what its management has set, or stays what it was before this app used gatehand. With
 * WorkManager the same is a `CoroutineWorker`.
 */
class HeartbeatJob : JobService() {
    private val scope = MainScope()
    private val running = HashMap<Int, Job>()

    override fun onStartJob(parameters: JobParameters): Boolean {
        running[parameters.jobId] = scope.launch {
            val again = beat() == Heartbeat.TRY_LATER
            running.remove(parameters.jobId)
            jobFinished(parameters, again)
        }
        return true
    }

    /** Android takes the network or the time away: what was begun is finished the next time. */
    override fun onStopJob(parameters: JobParameters): Boolean {
        running.remove(parameters.jobId)?.cancel()
        return true
    }

    override fun onDestroy() {
        scope.cancel()
        super.onDestroy()
    }

    private suspend fun beat(): Heartbeat =
        try {
            val app = application as SampleApp
            val agent = app.agent.get()
            app.oldKey.moveInto(agent)
            agent.heartbeat()
        } catch (error: GatehandException) {
            Log.e(TAG, "the agent can't be opened, or the old key not be taken over", error)
            if (error.isTemporary) Heartbeat.TRY_LATER else Heartbeat.NEEDS_PERSON
        }

    companion object {
        private const val TAG = "gatehand"
        internal const val EVERY_HOUR = 1
        internal const val SOON = 2
        private val AFTER_FAILURE_MILLIS = TimeUnit.SECONDS.toMillis(30)

        /**
         * Every hour for as long as the app is installed, also when a person has to act first: they
         * may do it on the server.
         */
        fun everyHour(context: Context) {
            schedule(context, EVERY_HOUR) { setPeriodic(TimeUnit.HOURS.toMillis(1)) }
        }

        /** As soon as there is a network, and from then on with growing pauses until the server was reached. */
        fun soon(context: Context) {
            schedule(context, SOON) {}
        }

        private fun schedule(context: Context, id: Int, timing: JobInfo.Builder.() -> Unit) {
            val scheduler = context.getSystemService(Context.JOB_SCHEDULER_SERVICE) as JobScheduler
            // To schedule a job again would stop it, or make it wait from the beginning.
            if (scheduler.allPendingJobs.any { it.id == id }) return
            val job = JobInfo.Builder(id, ComponentName(context, HeartbeatJob::class.java))
                .setRequiredNetworkType(JobInfo.NETWORK_TYPE_ANY)
                .setBackoffCriteria(AFTER_FAILURE_MILLIS, JobInfo.BACKOFF_POLICY_LINEAR)
                .setPersisted(true)
                .apply(timing)
            scheduler.schedule(job.build())
        }
    }
}
