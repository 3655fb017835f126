use crate::failure::Failure;
use crate::page::Section;
use super::Plan;
pub(super) fn measure(_p: &Plan) -> Result<Section, Failure> { Err(Failure::new("x","y")) }
