pub(crate) fn check(_: &super::ChatRequest) -> Result<(), crate::Error> {
    Ok(())
}
