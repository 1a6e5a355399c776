//! `GET /api/v1/version`: what apps switch features on by.

use super::authentication::Known;
use super::endpoint::Call;
use super::problem::Problem;
use super::reply::Answer;

pub(super) async fn version(call: Call<Known>) -> Result<Answer, Problem> {
    Answer::ok(&call.api.version)
}
